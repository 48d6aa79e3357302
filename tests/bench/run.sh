#!/usr/bin/env bash
# Prints the figures of every benchmark. Usage: tests/bench/run.sh BUILD_DIR
set -euo pipefail
"$1/tests/bench/migrations_bench"
