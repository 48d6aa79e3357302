#!/usr/bin/env bash
# Random runs, a sample of the boundaries of the protocol, and the test of the test.
# Usage: tests/chaos/run.sh BUILD_DIR RUNS SEED. Every boundary: BUILD_DIR/tests/chaos/chaos points
set -euo pipefail
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ]; then export TMPDIR=/dev/shm; fi  # nothing here is about disks
chaos=$1/tests/chaos/chaos
"$chaos" random --runs "$2" --seed "$3"
"$chaos" points --stride 17
"$chaos" canaries
