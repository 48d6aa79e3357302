# shellcheck shell=bash
# Sourced: speaks to the cluster that cluster.sh brought up, unless KUBECONFIG names another one.
e2e_folder=${E2E_CLUSTER:-/tmp/whimbrel-e2e}
if [ -z "${KUBECONFIG:-}" ] || [ "$KUBECONFIG" = "$e2e_folder/kubeconfig" ]; then
  [ -e "$e2e_folder/settings" ] || { echo "no cluster in $e2e_folder: tests/e2e/cluster.sh up" >&2; exit 1; }
  export KUBECONFIG=$e2e_folder/kubeconfig E2E_OWN_CLUSTER=1
  # shellcheck disable=SC1091
  { . "$e2e_folder/settings" && . "$e2e_folder/postgres.env"; }
  PATH=${programs:?}:$PATH
  export E2E_IMAGE=localhost/whimbrel:e2e E2E_IMAGE_NEXT=localhost/whimbrel:e2e-next
fi
