#!/usr/bin/env bash
# The pod of a run is deleted (a drain): it rolls back within its grace period, and the next pod applies all.
. "$(dirname "$0")/../lib.sh"
begin pod-deleted-mid-run

files sql "$(step 001 first)"
migration "execution: {retry: {initialSeconds: 1, maxSeconds: 2}}"
wait_at_gate
pod=$(run_pod)
k delete pod "$pod" --wait=false >/dev/null
wait_for "the first session to end" 40 at_gate_is 0
expect_witness ""
wait_at_gate 120
open_gate first
wait_ready 120
expect_witness "001"
