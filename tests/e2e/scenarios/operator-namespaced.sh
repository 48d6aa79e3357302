#!/usr/bin/env bash
# An operator for one namespace has no right in any other, and serves that one.
. "$(dirname "$0")/../lib.sh"
begin operator-namespaced

account=system:serviceaccount:$system:whimbrel
may() { kubectl -n "$1" auth can-i list configmaps --as="$account" || true; }
install=$(dirname "$cluster")/install.sh
at_end "$install"
at_end kubectl -n "$namespace" delete rolebinding whimbrel-controller
"$(dirname "$cluster")/../../scripts/render-deploy.sh" --image "$E2E_IMAGE" --namespaces "$namespace" | kubectl apply -f - >/dev/null
kubectl delete clusterrolebinding whimbrel-controller >/dev/null
kubectl -n "$system" rollout status deployment/whimbrel --timeout=120s >/dev/null
expect "its right to list ConfigMaps in its namespace" "$(may "$namespace")" yes
expect "in another" "$(may default)" no
files sql "$(step 001)"
migration
wait_ready 90
expect_witness "001"
