#!/usr/bin/env bash
# The ConfigMap goes between plan and pod: the run says that it is missing, and all is well when it is back.
. "$(dirname "$0")/../lib.sh"
begin configmap-deleted-before-mount

files sql "$(step 001)"
migration "job: {nodeSelector: {$node_label: here}}"
wait_reason JobPending
k delete configmap sql >/dev/null
node=$(kubectl get nodes -o 'jsonpath={.items[0].metadata.name}')
use_node "$node"
wait_reason SourceNotFound
expect_witness ""
files sql "$(step 001)"
wait_ready 90
expect_witness "001"
