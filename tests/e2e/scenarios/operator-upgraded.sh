#!/usr/bin/env bash
# The operator is upgraded to another image in the midst of a run: the run goes on, the new one sees it through.
. "$(dirname "$0")/../lib.sh"
begin operator-upgraded

files sql "$(step 001 first)" "$(step 002)"
migration
wait_at_gate
first=$(run_job)
at_end "$(dirname "$cluster")/install.sh"
E2E_IMAGE=$E2E_IMAGE_NEXT "$(dirname "$cluster")/install.sh" >/dev/null
expect "runs at the gate" "$(at_gate)" 1
open_gate first
wait_ready 90
expect_witness "001 002"
expect "the Job of the run" "$(run_job)" "$first"

# What comes after is run by the new image.
files sql "$(step 001 first)" "$(step 002)" "$(step 003)"
at_version() { [ "$(field '{.status.currentVersion}')" = "$1" ]; }
wait_for "the third version" 60 at_version 003
expect "the image of the last run" "$(k get pod "$(run_pod)" -o 'jsonpath={.spec.containers[0].image}')" "$E2E_IMAGE_NEXT"
expect_witness "001 002 003"
