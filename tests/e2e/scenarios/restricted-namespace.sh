#!/usr/bin/env bash
# Under the Pod Security level restricted, which refuses an ordinary pod, migrations run.
. "$(dirname "$0")/../lib.sh"
begin restricted-namespace

k create -f - <<'YAML' >/dev/null 2>&1 && fail "the namespace takes any pod, so this shows nothing"
apiVersion: v1
kind: Pod
metadata: {name: ordinary}
spec: {containers: [{name: c, image: "localhost/pause:e2e"}]}
YAML
files sql "$(step 001)"
migration
wait_ready
expect_witness "001"
expect "warnings about pods" "$(k get events --field-selector reason=FailedCreate -o name)" ""
