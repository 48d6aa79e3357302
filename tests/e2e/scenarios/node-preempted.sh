#!/usr/bin/env bash
# A pod of higher priority takes the run's place: that is no try, and the run goes on when there is room.
. "$(dirname "$0")/../lib.sh"
begin node-preempted

use_node node2
at_end kubectl delete priorityclass "$namespace"
kubectl create priorityclass "$namespace" --value=1000 --dry-run=client -o yaml | kubectl apply -f - >/dev/null
# More than half of what the node has left: two do not fit.
cpus=$(kubectl get node node2 -o 'jsonpath={.status.allocatable.cpu}')
request=$((cpus * 600))m
files sql "$(step 001 first)"
migration "execution: {retry: {limit: 0, initialSeconds: 1, maxSeconds: 1}}" \
  "job: {$(on_lossy_nodes), resources: {requests: {cpu: $request}}}"
wait_at_gate
first=$(run_pod)
apply <<YAML
apiVersion: v1
kind: Pod
metadata: {name: important}
spec:
  priorityClassName: $namespace
  nodeSelector: {$node_label: here}
  tolerations: [{key: e2e, operator: Exists}]
  securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: c
      image: localhost/pause:e2e
      imagePullPolicy: Never
      resources: {requests: {cpu: $request}}
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
YAML
wait_for "the important pod to run" 90 k wait --for=condition=Ready pod/important --timeout=1s
wait_reason JobPending 60
expect_witness ""
k delete pod important --wait=false >/dev/null
wait_for_another_pod "$first"
open_gate first
wait_ready
expect_witness "001"
