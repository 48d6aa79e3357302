#!/usr/bin/env bash
# Prints the figures of every benchmark. Usage: tests/bench/run.sh BUILD_DIR
set -euo pipefail
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ]; then export TMPDIR=/dev/shm; fi  # tmpfs: CPU is compared, not disks
"$1/tests/bench/splitter_bench"
"$1/tests/bench/migrations_bench"
"$1/tests/bench/memory_bench"
"$1/tests/bench/runner_bench"
