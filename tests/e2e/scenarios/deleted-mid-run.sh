#!/usr/bin/env bash
# The resource is deleted during a run: the run is rolled back, its Job goes, the database is as before.
. "$(dirname "$0")/../lib.sh"
begin deleted-mid-run

files sql "$(step 001)" "$(step 002 second)"
migration
wait_at_gate
k delete databasemigration app --wait=false >/dev/null
wait_for "the session to end" 40 at_gate_is 0
none_left() { [ -z "$(k get databasemigrations,jobs,pods -l '!ignored' -o name)" ]; }
wait_for "everything to be gone" 60 none_left
expect_witness "001"
