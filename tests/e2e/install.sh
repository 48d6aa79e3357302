#!/usr/bin/env bash
# Installs the operator as a user would, `kubectl apply -f deploy/install.yaml`, with the image of E2E_IMAGE.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
system=${E2E_SYSTEM:-whimbrel-system}

published=$(sed -n 's/^ *image: *\([^ ]*\).*/\1/p' "$root/deploy/install.yaml" | sort -u)
[ "$(wc -l <<<"$published")" -eq 1 ] || { echo "install: not exactly one image in deploy/install.yaml: $published" >&2; exit 1; }
# Also where the image is not a container's: the policy and the runner's flag name it.
sed "s,$published,$E2E_IMAGE,g" "$root/deploy/install.yaml" | kubectl apply -f -
kubectl -n "$system" rollout status deployment/whimbrel --timeout=120s
