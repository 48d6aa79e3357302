#!/usr/bin/env bash
# Mode InProcess: says which right is missing; with the optional Role for that one Secret it runs without any Job.
. "$(dirname "$0")/../lib.sh"
begin in-process

files sql "$(step 001)" "$(step 002 second)"
migration "execution: {mode: InProcess}"
needs_the_right() { [[ $(message) == *ecret* ]] && [ "$(condition Ready)" = False ]; }
wait_for "the resource to name the Secret" 60 needs_the_right
say "$(standing): $(message)"
sed "s/namespace: default/namespace: $namespace/; s/orders-db-app/db/" \
  "$(dirname "$cluster")/../../deploy/optional/in-process.yaml" | kubectl apply -f - >/dev/null
wait_at_gate 150
open_gate second
wait_ready
expect_witness "001 002"
expect "Jobs and pods" "$(k get jobs,pods -o name)" ""
