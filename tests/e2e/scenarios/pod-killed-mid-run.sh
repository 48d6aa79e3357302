#!/usr/bin/env bash
# The pod of a run is gone without a word, also for the API server: the next one applies all, once.
. "$(dirname "$0")/../lib.sh"
begin pod-killed-mid-run

files sql "$(step 001)" "$(step 002 second)"
migration "execution: {retry: {initialSeconds: 1, maxSeconds: 2}}"
wait_at_gate
first=$(run_pod)
k delete pod "$first" --grace-period=0 --force >/dev/null 2>&1
wait_for_another_pod "$first"
open_gate second
wait_ready 120
expect_witness "001 002"
