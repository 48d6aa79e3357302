#!/usr/bin/env bash
# The runner's image cannot be pulled: the resource says so, and goes on when it can be had.
. "$(dirname "$0")/../lib.sh"
begin node-without-image

at_end "$(dirname "$cluster")/load-image.sh" "$E2E_IMAGE"
"$(dirname "$cluster")/cluster/ctr.sh" "$(dirname "$KUBECONFIG")/node2" -n k8s.io images rm --sync "$E2E_IMAGE" >/dev/null
use_node node2
files sql "$(step 001)"
migration "job: {$(on_lossy_nodes)}"
wait_reason ImagePullFailed 60
expect "the message" "$(message)" "*$E2E_IMAGE*"
"$(dirname "$cluster")/load-image.sh" "$E2E_IMAGE"
# The kubelet tries again after 10 s, 20 s, …
wait_ready 120
expect_witness "001"
