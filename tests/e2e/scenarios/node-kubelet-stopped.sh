#!/usr/bin/env bash
# The kubelet of a run's node falls silent: the run itself goes on there, a second one starts elsewhere, nothing is applied twice.
. "$(dirname "$0")/../lib.sh"
begin node-kubelet-stopped

label=e2e.whimbrel.dev/$namespace
# Kubernetes gives the pod up as soon as the node, not after a minute.
tolerations="tolerations: [{key: e2e, operator: Exists},
    {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 1}]"
files sql "$(step 001 first)" "$(step 002)"
at_end kubectl label node node2 "$label-"
kubectl label node node2 "$label=here" >/dev/null
migration "execution: {retry: {initialSeconds: 1, maxSeconds: 1}}" \
  "job: {nodeSelector: {$label: here}, $tolerations}"
wait_at_gate
expect "the node of the run" "$(k get pod "$(run_pod)" -o 'jsonpath={.spec.nodeName}')" node2
at_end kubectl label node node1 "$label-"
kubectl label node node1 "$label=here" >/dev/null
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
wait_for "node2 to be Ready again" 60 kubectl wait --for=condition=Ready node/node2 --timeout=1s
only_pods_that_ended() { [ -z "$(k get pods --field-selector=status.phase=Running -o name)" ]; }
wait_for "the old pod to end" 60 only_pods_that_ended
wait_ready
expect_witness "001 002"
