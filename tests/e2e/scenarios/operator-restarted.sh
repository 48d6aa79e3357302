#!/usr/bin/env bash
# Every replica of the operator is away while a run ends: the next one reads the result from the pod.
. "$(dirname "$0")/../lib.sh"
begin operator-restarted

files sql "$(step 001 first)"
migration
wait_at_gate
at_end kubectl -n "$system" scale deployment/whimbrel --replicas=2
kubectl -n "$system" scale deployment/whimbrel --replicas=0 >/dev/null
none_left() { [ -z "$(kubectl -n "$system" get pods -o name)" ]; }
wait_for "the operator to be gone" 60 none_left
open_gate first
wait_for "the Job to complete" 60 k wait --for=condition=Complete "job/$(run_job)" --timeout=1s
expect "Ready, as nobody is there to say so" "$(condition Ready)" "[FU]*"
kubectl -n "$system" scale deployment/whimbrel --replicas=2 >/dev/null
wait_ready 90
expect_witness "001"
expect "the only Job" "$(run_job)" "app-*-1"
