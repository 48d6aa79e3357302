#!/usr/bin/env bash
# The ConfigMap goes between plan and pod: the run says that it is missing, and all is well when it is back.
. "$(dirname "$0")/../lib.sh"
begin configmap-deleted-before-mount

label=e2e.whimbrel.dev/$namespace
files sql "$(step 001)"
migration "job: {nodeSelector: {$label: wanted}}"
wait_reason JobPending
k delete configmap sql >/dev/null
node=$(kubectl get nodes -o 'jsonpath={.items[0].metadata.name}')
at_end kubectl label node "$node" "$label-"
kubectl label node "$node" "$label=wanted" >/dev/null
wait_reason SourceNotFound
expect_witness ""
files sql "$(step 001)"
wait_ready 90
expect_witness "001"
