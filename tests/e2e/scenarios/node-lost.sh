#!/usr/bin/env bash
# The node of a run loses its power: the run goes on elsewhere once the cluster has given the pod up, nothing is applied twice.
. "$(dirname "$0")/../lib.sh"
begin node-lost

label=e2e.whimbrel.dev/$namespace
# Kubernetes gives the pod up as soon as the node, not after a minute.
tolerations="tolerations: [{key: e2e, operator: Exists},
    {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 1}]"
files sql "$(step 001)" "$(step 002 second)"
at_end kubectl label node node2 "$label-"
kubectl label node node2 "$label=here" >/dev/null
migration "execution: {retry: {initialSeconds: 1, maxSeconds: 1}}" \
  "job: {nodeSelector: {$label: here}, $tolerations}"
wait_at_gate
expect "the node of the run" "$(k get pod "$(run_pod)" -o 'jsonpath={.spec.nodeName}')" node2
first=$(run_pod)
at_end kubectl label node node1 "$label-"
kubectl label node node1 "$label=here" >/dev/null
at_end "$cluster" start node2
"$cluster" crash node2
wait_for_another_pod "$first" 240
expect "the node of the next run" "$(k get pod "$(run_pod)" -o 'jsonpath={.spec.nodeName}')" node1
open_gate second
wait_ready 120
expect_witness "001 002"
"$cluster" start node2
wait_for "node2 to be Ready again" 60 kubectl wait --for=condition=Ready node/node2 --timeout=1s
wait_ready
expect_witness "001 002"
