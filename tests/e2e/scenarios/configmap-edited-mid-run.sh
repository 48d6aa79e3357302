#!/usr/bin/env bash
# A ConfigMap that is edited during a run: the run ends on what it has read, and the next one applies the rest.
. "$(dirname "$0")/../lib.sh"
begin configmap-edited-mid-run

files sql "$(step 001 first)"
migration
wait_at_gate
files sql "$(step 001 first)" "$(step 002)"
open_gate first
at_version() { [ "$(field "{.status.currentVersion}")" = "$1" ]; }
wait_for "the second version" 60 at_version 002
wait_ready
expect_witness "001 002"
expect "the second Job" "$(run_job)" "app-*-2"
