#!/usr/bin/env bash
# Builds the dev preset and runs every test. Usage: scripts/test.sh [PG_MAJOR [JOBS]]
set -euo pipefail
cd "$(dirname "$0")/.."

major=${1:-15}
jobs=${2:-$(nproc)}
# One per line: under `set -e` an assignment in the line of `export` would hide a failure.
WHIMBREL_PG_BIN=$(scripts/postgres-bin.sh "$major")
KUBEBUILDER_ASSETS=$(scripts/kube-assets.sh)
export WHIMBREL_PG_BIN KUBEBUILDER_ASSETS

# Servers' data in memory where there is room for it: making and removing it takes longer than most tests.
if [ -z "${TMPDIR:-}" ] && [ "$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1)" -gt 4000000 ]; then
  export TMPDIR=/dev/shm
fi

cmake --preset dev
cmake --build --preset dev -j "$jobs"
# The tests mostly wait for servers, so more of them than processors run at once.
ctest --test-dir build/dev --parallel "$((jobs * 2))" --output-on-failure --no-tests=error
