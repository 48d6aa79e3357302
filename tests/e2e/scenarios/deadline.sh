#!/usr/bin/env bash
# A run over its deadline is cancelled in the server and says so; a longer one mends it.
. "$(dirname "$0")/../lib.sh"
begin deadline

files sql "$(step 001 first)"
migration "execution: {statementTimeoutSeconds: 0, deadlineSeconds: 5}"
stalled() { [ "$(condition Stalled)" = True ]; }
wait_for "the run to stall" 90 stalled
expect "the reason" "$(standing)" "False DeadlineExceeded *"
expect_witness ""
expect "sessions left" "$(at_gate)" 0
open_gate first
migration "execution: {statementTimeoutSeconds: 30, deadlineSeconds: 60}"
wait_ready
expect_witness "001"
