#!/usr/bin/env bash
# No node takes the pod: the resource says so in the scheduler's words, and goes on when one does.
. "$(dirname "$0")/../lib.sh"
begin unschedulable

label=e2e.whimbrel.dev/$namespace
files sql "$(step 001)"
migration "job: {nodeSelector: {$label: wanted}}"
wait_reason JobPending
expect "the message" "$(message)" "*nodes are available*"
expect "Stalled" "$(condition Stalled)" False
node=$(kubectl get nodes -o 'jsonpath={.items[0].metadata.name}')
at_end kubectl label node "$node" "$label-"
kubectl label node "$node" "$label=wanted" >/dev/null
wait_ready
expect_witness "001"
expect "the only Job" "$(run_job)" "app-*-1"
