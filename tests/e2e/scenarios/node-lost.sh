#!/usr/bin/env bash
# The node of a run loses its power: the run goes on elsewhere once the cluster has given the pod up, nothing is applied twice.
. "$(dirname "$0")/../lib.sh"
begin node-lost

files sql "$(step 001)" "$(step 002 second)"
use_node node2
migration "execution: {retry: {initialSeconds: 1, maxSeconds: 1}}" \
  "job: {$(on_lossy_nodes "$unreachable_for_a_second")}"
wait_at_gate
expect "the node of the run" "$(node_of_run)" node2
first=$(run_pod)
use_node node1
at_end "$cluster" start node2
"$cluster" crash node2
wait_for_another_pod "$first" 240
expect "the node of the next run" "$(node_of_run)" node1
open_gate second
wait_ready 120
expect_witness "001 002"
"$cluster" start node2
wait_node_ready node2
wait_ready
expect_witness "001 002"
