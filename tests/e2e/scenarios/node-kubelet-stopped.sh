#!/usr/bin/env bash
# The kubelet of a run's node falls silent: the run itself goes on there, a second one starts elsewhere, nothing is applied twice.
. "$(dirname "$0")/../lib.sh"
begin node-kubelet-stopped

files sql "$(step 001 first)" "$(step 002)"
use_node node2
migration "execution: {retry: {initialSeconds: 1, maxSeconds: 1}}" \
  "job: {$(on_lossy_nodes "$unreachable_for_a_second")}"
wait_at_gate
expect "the node of the run" "$(node_of_run)" node2
use_node node1
at_end "$cluster" resume node2
"$cluster" pause node2
asked_to_end() { [ -n "$(k get pod "$1" -o 'jsonpath={.metadata.deletionTimestamp}')" ]; }
wait_for "the pod to be asked to end" 60 asked_to_end "$(run_pod)"
# Nobody has told the container: it still holds its lock, and ends its work.
expect "runs at the gate" "$(at_gate)" 1
open_gate first
wait_ready 240
expect_witness "001 002"
"$cluster" resume node2
wait_node_ready node2
only_pods_that_ended() { [ -z "$(k get pods --field-selector=status.phase=Running -o name)" ]; }
wait_for "the old pod to end" 60 only_pods_that_ended
wait_ready
expect_witness "001 002"
