#!/usr/bin/env bash
# Runs the scenarios on a real cluster: one of its own (see cluster.sh), which is gone afterwards, or that of
# KUBECONFIG. Usage: tests/e2e/run.sh [SCENARIO …], names of scenarios/ without .sh; default all.
#
# With KUBECONFIG the operator is installed there too; then these must be set: E2E_IMAGE, the operator's image
# as that cluster pulls it, E2E_IMAGE_NEXT, the same under another tag, and PGHOST, PGPORT, PGUSER and PGPASSWORD
# of a superuser of a PostgreSQL that both this machine and the pods reach. Scenarios that break nodes are left out.
# E2E_JOBS (4): scenarios at once. A cluster that is up already is used, and stays.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
folder=${E2E_CLUSTER:-/tmp/whimbrel-e2e}
logs=$root/build/e2e
mine=false
results=()
failed=()

fail() {
  echo "e2e: $1" >&2
  exit 1
}

clean_up() {
  local code=$?
  trap - EXIT
  jobs -p | xargs -r kill 2>/dev/null || true
  wait
  if $mine; then
    if [ "$code" -ne 0 ]; then
      mkdir -p "$logs/cluster"
      for log in "$folder"/*/*.log; do cp "$log" "$logs/cluster/$(basename "$(dirname "$log")")-${log##*/}"; done 2>/dev/null || true
    fi
    "$here/cluster.sh" down >/dev/null
  fi
  exit "$code"
}

use_own_cluster() {
  if ! { [ -e "$folder/settings" ] && "$here/cluster.sh" status >/dev/null 2>&1; }; then
    mine=true
    "$here/cluster.sh" up >"$logs/cluster.log" 2>&1 || { cat "$logs/cluster.log" >&2; fail "no cluster"; }
  fi
  # shellcheck source=tests/e2e/own-cluster.sh
  . "$here/own-cluster.sh"
  "$here/load-image.sh" "$E2E_IMAGE" "$E2E_IMAGE_NEXT" >"$logs/image.log" 2>&1 || { cat "$logs/image.log" >&2; fail "no image"; }
}

check_given_cluster() {
  local name
  for name in E2E_IMAGE E2E_IMAGE_NEXT PGHOST PGPORT PGUSER PGPASSWORD; do
    [ -n "${!name:-}" ] || fail "with KUBECONFIG, $name must be set; see the head of tests/e2e/run.sh"
  done
}

# run_one SCENARIO: its output goes into a log, one line of result into a file.
run_one() {
  local begun=$SECONDS verdict=ok
  bash "$here/scenarios/$1.sh" >"$logs/$1.log" 2>&1 || verdict=FAILED
  printf '%-7s %4d s  %s\n' "$verdict" $((SECONDS - begun)) "$1" | tee "$logs/$1.result"
}

# Those that harm node2, one after the other, beside the rest. Those that harm everybody come last, alone.
run_all() {
  local name chain=() last=()
  for name in "$@"; do
    case $name in
      node-*) chain+=("$name") ;;
      operator-* | postgres-*) last+=("$name") ;;
    esac
  done
  for name in "${chain[@]}"; do run_one "$name"; done &
  for name in "$@"; do
    [[ " ${chain[*]} ${last[*]} " == *" $name "* ]] && continue
    while [ "$(jobs -rp | wc -l)" -gt "${E2E_JOBS:-4}" ]; do wait -n || true; done
    run_one "$name" &
  done
  wait
  for name in "${last[@]}"; do run_one "$name"; done
}

mkdir -p "$logs"
rm -rf "${logs:?}"/*
trap clean_up EXIT
trap 'exit 130' INT TERM
begun=$SECONDS

if [ -n "${KUBECONFIG:-}" ] && [ "$KUBECONFIG" != "$folder/kubeconfig" ]; then check_given_cluster; else use_own_cluster; fi
"$here/install.sh" >"$logs/install.log" 2>&1 || { cat "$logs/install.log" >&2; fail "not installed"; }
# A cluster that was up may have run an older image of this name.
if [ -n "${E2E_OWN_CLUSTER:-}" ] && ! $mine; then
  kubectl -n whimbrel-system rollout restart deployment/whimbrel >/dev/null
  kubectl -n whimbrel-system rollout status deployment/whimbrel --timeout=120s >/dev/null
fi
echo "cluster and operator: $((SECONDS - begun)) s"

scenarios=("$@")
if [ $# -eq 0 ]; then
  for script in "$here"/scenarios/*.sh; do
    name=$(basename "$script" .sh)
    if [ -n "${E2E_OWN_CLUSTER:-}" ] || [[ $name != node-* && $name != postgres-* ]]; then scenarios+=("$name"); fi
  done
fi
for name in "${scenarios[@]}"; do
  [ -e "$here/scenarios/$name.sh" ] || fail "no scenario is called '$name'"
done
run_all "${scenarios[@]}"

mapfile -t results < <(cat "$logs"/*.result)
mapfile -t failed < <(printf '%s\n' "${results[@]}" | grep ^FAILED || true)
echo "$((${#results[@]} - ${#failed[@]})) of ${#scenarios[@]} scenarios passed in $((SECONDS - begun)) s"
if [ ${#failed[@]} -gt 0 ] || [ ${#results[@]} -ne ${#scenarios[@]} ]; then
  echo "logs: $logs/SCENARIO.log; of the cluster: $logs/cluster/" >&2
  exit 1
fi
