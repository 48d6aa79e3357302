#!/usr/bin/env bash
# The runner is killed (SIGKILL): the outcome is unknown, the next attempt looks and goes on.
. "$(dirname "$0")/../lib.sh"
begin runner-killed-mid-run

files sql "$(step 001)" "$(step 002 second)"
migration "execution: {retry: {initialSeconds: 1, maxSeconds: 2}}"
wait_at_gate
first=$(run_pod)
kill_pod "$first"
wait_for_another_pod "$first"
open_gate second
wait_ready 120
expect_witness "001 002"
