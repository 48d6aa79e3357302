#!/usr/bin/env bash
# The annotation cancel-requested-at ends a run, which is rolled back; retry-requested-at starts the next.
. "$(dirname "$0")/../lib.sh"
begin cancelled-mid-run

files sql "$(step 001 first)"
migration
wait_at_gate
k annotate databasemigration app "whimbrel.dev/cancel-requested-at=$(date -u +%Y-%m-%dT%H:%M:%SZ)" >/dev/null
wait_for "the session to end" 40 at_gate_is 0
wait_reason Cancelled
expect_witness ""
open_gate first
k annotate databasemigration app "whimbrel.dev/retry-requested-at=$(date -u +%Y-%m-%dT%H:%M:%SZ)" >/dev/null
wait_ready
expect_witness "001"
