#!/usr/bin/env bash
# Prints the figures of every benchmark. Usage: tests/bench/run.sh BUILD_DIR
set -euo pipefail
here=$(dirname "$0")
disk=${TMPDIR:-/var/tmp}
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ]; then export TMPDIR=/dev/shm; fi  # tmpfs: CPU is compared, not disks
KUBEBUILDER_ASSETS=$("$here/../../scripts/kube-assets.sh")
export KUBEBUILDER_ASSETS
"$1/tests/bench/splitter_bench"
"$1/tests/bench/migrations_bench"
"$1/tests/bench/memory_bench"
"$1/tests/bench/runner_bench"
TMPDIR=$disk "$1/tests/bench/controller_bench"  # with fsync, as a server has it
