#!/usr/bin/env bash
# Random runs, then every boundary of the protocol in turn. Usage: tests/chaos/run.sh BUILD_DIR RUNS SEED
set -euo pipefail
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ]; then export TMPDIR=/dev/shm; fi  # nothing here is about disks
chaos=$1/tests/chaos/chaos
"$chaos" random --runs "$2" --seed "$3"
"$chaos" points --stride 5
