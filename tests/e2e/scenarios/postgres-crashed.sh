#!/usr/bin/env bash
# PostgreSQL loses its power in the midst of a run, and is back later: the run waits and goes on by itself.
. "$(dirname "$0")/../lib.sh"
begin postgres-crashed

files sql "$(step 001)" "$(step 002 second)"
migration
wait_at_gate
first=$(run_pod)
at_end "$cluster" start postgres
"$cluster" crash postgres
"$cluster" start postgres
wait_for "PostgreSQL to answer" 60 query "SELECT 1"
wait_at_gate 120
open_gate second
wait_ready 120
expect_witness "001 002"
say "first pod $first, last pod $(run_pod)"
