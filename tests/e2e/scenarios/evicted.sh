#!/usr/bin/env bash
# Evicted by the API (a drain) more often than retries are allowed: none of that counts as a try.
. "$(dirname "$0")/../lib.sh"
begin evicted

files sql "$(step 001 first)"
migration "execution: {retry: {limit: 0, initialSeconds: 1, maxSeconds: 1}}"
before=none
for _ in first second; do
  wait_for_another_pod "$before"
  before=$(run_pod)
  printf '{"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "%s", "namespace": "%s"}}' "$before" "$namespace" |
    kubectl create --raw "/api/v1/namespaces/$namespace/pods/$before/eviction" -f - >/dev/null
done
wait_for_another_pod "$before"
open_gate first
wait_ready 60
expect_witness "001"
