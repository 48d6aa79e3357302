#!/usr/bin/env bash
# Of two replicas the leader dies in the midst of a run: the other one takes over and sees it through, without a second Job.
. "$(dirname "$0")/../lib.sh"
begin operator-leader-killed

files sql "$(step 001 first)" "$(step 002)"
migration
wait_at_gate
expect "replicas that are ready" "$(kubectl -n "$system" get deployment whimbrel -o 'jsonpath={.status.readyReplicas}')" 2
before=$(leader)
say "the leader is $before"
# A holder is called by its pod's name and a number of its own.
kill_pod "${before%_*}" "$system"
another_leader() { [ -n "$(leader)" ] && [ "$(leader)" != "$before" ]; }
wait_for "another leader" 60 another_leader
open_gate first
wait_ready 90
expect_witness "001 002"
expect "the only Job" "$(run_job)" "app-*-1"
kubectl -n "$system" rollout status deployment/whimbrel --timeout=120s >/dev/null
