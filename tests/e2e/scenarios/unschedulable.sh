#!/usr/bin/env bash
# No node takes the pod: the resource says so in the scheduler's words, and goes on when one does.
. "$(dirname "$0")/../lib.sh"
begin unschedulable

files sql "$(step 001)"
migration "job: {nodeSelector: {$node_label: here}}"
wait_reason JobPending
expect "the message" "$(message)" "*nodes are available*"
expect "Stalled" "$(condition Stalled)" False
node=$(kubectl get nodes -o 'jsonpath={.items[0].metadata.name}')
use_node "$node"
wait_ready
expect_witness "001"
expect "the only Job" "$(run_job)" "app-*-1"
