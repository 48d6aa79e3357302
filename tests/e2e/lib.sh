# shellcheck shell=bash
# shellcheck disable=SC2034,SC2053  # Names are for the scenarios; what is expected may be a pattern.
# The words that the scenarios are written in. A scenario sources this file, says `begin NAME`, and is
# then in a namespace and a database of its own, both with the scenario's name; a failure prints what
# the cluster and the server know of it. Nothing here waits for a time: each `wait_…` waits for a fact.
set -euo pipefail

# shellcheck source=tests/e2e/own-cluster.sh
. "$(dirname "${BASH_SOURCE[0]}")/own-cluster.sh"
cluster=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/cluster.sh
system=${E2E_SYSTEM:-whimbrel-system} # the operator's namespace

# --- beginning and end --------------------------------------------------------------------------

# begin NAME [POD_SECURITY_LEVEL]
begin() {
  namespace=e2e-$1
  database=e2e_${1//-/_}
  node_label=e2e.whimbrel.dev/$namespace
  started=$SECONDS
  undo_commands=()
  trap finish EXIT
  trap 'say "FAILED at line $LINENO: $BASH_COMMAND"' ERR
  trap 'exit 130' INT TERM
  clear_away # what an earlier run of this scenario left to be looked at
  kubectl create namespace "$namespace" >/dev/null
  kubectl label namespace "$namespace" "pod-security.kubernetes.io/enforce=${2:-restricted}" >/dev/null
  create_database "$database"
  login_secret db "$database"
}

finish() {
  local code=$?
  trap - EXIT
  set +e
  if [ "$code" -ne 0 ]; then dump; fi
  local undo_command
  for undo_command in "${undo_commands[@]}"; do eval "$undo_command" >/dev/null 2>&1; done
  if [ "$code" -eq 0 ]; then
    clear_away --wait=false
  fi
  exit "$code"
}

# at_end COMMAND…: is run at the end, whichever that is, after a failure was described.
at_end() { undo_commands+=("${*@Q}"); }

# clear_away [OPTION]: the namespace and every database of this scenario.
clear_away() {
  kubectl delete namespace "$namespace" --ignore-not-found "$@" >/dev/null
  local name
  for name in $(psql -XAtc "SELECT datname FROM pg_database WHERE datname = '$database' OR datname LIKE '${database}\_r__'"); do
    psql -Xqc "DROP DATABASE \"$name\" WITH (FORCE)" -c "DROP ROLE \"$name\""
  done
}

say() { printf '%4d s  %s\n' $((SECONDS - started)) "$*"; }

fail() {
  say "FAILED: $*"
  exit 1
}

dump() {
  echo "--- resource"
  kubectl -n "$namespace" get databasemigrations -o yaml
  echo "--- events"
  kubectl -n "$namespace" get events --sort-by=.metadata.creationTimestamp
  echo "--- jobs and pods"
  kubectl -n "$namespace" get jobs,pods -o wide
  kubectl -n "$namespace" describe jobs,pods
  local pod
  for pod in $(kubectl -n "$namespace" get pods -o name); do
    echo "--- log of $pod"
    kubectl -n "$namespace" logs "$pod" --tail=100
  done
  echo "--- operator"
  kubectl -n "$system" get pods -o wide
  for pod in $(kubectl -n "$system" get pods -o name); do
    echo "--- log of $pod"
    kubectl -n "$system" logs "$pod" --since=5m | grep -F "$namespace" | tail -n 100
  done
  echo "--- sessions"
  psql -Xc "SELECT pid, state, wait_event, application_name, query FROM pg_stat_activity
            WHERE datname = '$database'" 2>&1
}

# --- the database --------------------------------------------------------------------------------

# create_database NAME: with a login of the same name, and two helpers for migrations: the table
# `witness`, into which each writes its version (nothing keeps a version from coming twice), and
# `pass_gate()`, which returns once the gate of that name is open.
create_database() {
  local password
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  psql -Xq -v ON_ERROR_STOP=1 -c "CREATE ROLE \"$1\" LOGIN PASSWORD '$password'" -c "CREATE DATABASE \"$1\" OWNER \"$1\""
  database_password=$password
  query_in "$1" "SET ROLE \"$1\";
    CREATE TABLE witness (at bigint GENERATED ALWAYS AS IDENTITY, version text);
    CREATE TABLE gate (name text);
    CREATE FUNCTION pass_gate(wanted text) RETURNS void LANGUAGE plpgsql AS \$\$
    BEGIN
      WHILE NOT EXISTS (SELECT FROM gate WHERE name = wanted) LOOP PERFORM pg_sleep(0.05); END LOOP;
    END \$\$" >/dev/null
}

query_in() { PGDATABASE=$1 psql -XAtq -v ON_ERROR_STOP=1 -c "$2"; }
query() { query_in "$database" "$1"; }

# Sessions of runs that wait at a gate. Only one may ever be there for one database.
at_gate() {
  query "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'
         AND application_name LIKE 'whimbrel/%' AND query LIKE '%pass_gate%'"
}

# wait_at_gate [SECONDS]: until the migration is in the midst of its file.
wait_at_gate() { wait_for "the run to be at its gate" "${1:-60}" at_gate_is 1; }
at_gate_is() { [ "$(at_gate)" = "$1" ]; }
open_gate() { query "INSERT INTO gate VALUES ('$1')" >/dev/null; }

# expect_witness "001 002": exactly these were applied and committed, in this order, none twice.
expect_witness() {
  expect "what the database saw" "$(query "SELECT coalesce(string_agg(version, ' ' ORDER BY at), '') FROM witness")" "$1"
}

expect_history() {
  expect "the history" "$(query "SELECT coalesce(string_agg(id || ':' || state, ' ' ORDER BY id), '')
                                 FROM whimbrel.whimbrel_migration")" "$1"
}

# --- the cluster ---------------------------------------------------------------------------------

k() { kubectl -n "$namespace" "$@"; }
apply() { kubectl -n "$namespace" apply -f - >/dev/null; }

# login_secret NAME DATABASE
login_secret() {
  k create secret generic "$1" --from-literal=host="$PGHOST" --from-literal=port="$PGPORT" \
    --from-literal=dbname="$2" --from-literal=username="$2" --from-literal=password="$database_password" >/dev/null
}

# files CONFIGMAP NAME=SQL …: creates it, or replaces all its files.
files() {
  local name=$1 file arguments=()
  shift
  for file in "$@"; do arguments+=("--from-literal=$file"); done
  k create configmap "$name" "${arguments[@]}" --dry-run=client -o yaml | apply
}

# A migration that leaves its version, waits at the gate GATE when one is given, and leaves a table.
# step VERSION [GATE]: prints NAME=SQL.
step() {
  echo "$1_step.sql=INSERT INTO witness (version) VALUES ('$1');"
  [ $# -eq 1 ] || echo "SELECT pass_gate('$2');"
  echo "CREATE TABLE t$1 (id int);"
}

# migration [-n NAME] [LINE …]: a DatabaseMigration (named app) of ConfigMap sql and Secret db; each LINE
# is one more line of its spec.
migration() {
  local name=app
  if [ "${1:-}" = -n ]; then
    name=$2
    shift 2
  fi
  {
    cat <<YAML
apiVersion: whimbrel.dev/v1alpha1
kind: DatabaseMigration
metadata: {name: $name}
spec:
YAML
    [[ "$*" == *"database:"* ]] || echo "  database: {secretRef: {name: db}}"
    [[ "$*" == *"source:"* ]] || echo "  source: {configMaps: [{name: sql}]}"
    [ $# -eq 0 ] || printf '  %s\n' "$@"
  } | apply
}

# field JSONPATH [NAME]: of the resource.
field() { k get databasemigration "${2:-app}" -o "jsonpath=$1"; }

# Of the condition Ready: status, reason, and whether it speaks of the spec as it is now.
standing() {
  field '{.status.conditions[?(@.type=="Ready")].status} {.status.conditions[?(@.type=="Ready")].reason} {.metadata.generation}={.status.observedGeneration}' "${1:-app}"
}

stands() {
  local status reason generations
  read -r status reason generations < <(standing "$2") || true
  [ -n "${generations:-}" ] && [ "${generations%=*}" = "${generations#*=}" ] && [[ "$status/$reason" == $1 ]]
}

# wait_ready [SECONDS] [NAME]; wait_reason REASON [SECONDS] [NAME] (Ready is not True for that reason).
wait_ready() { wait_for "${2:-app} to be Ready" "${1:-60}" stands "True/*" "${2:-app}"; }
wait_reason() { wait_for "${3:-app} to say $1" "${2:-60}" stands "False/$1" "${3:-app}"; }
condition() { field "{.status.conditions[?(@.type==\"$1\")].status}" "${2:-app}"; }
message() { field '{.status.conditions[?(@.type=="Ready")].message}'; }

# The newest run's pod and Job.
run_pod() {
  k get pods -l app.kubernetes.io/managed-by=whimbrel --sort-by=.metadata.creationTimestamp \
    -o 'jsonpath={range .items[*]}{.metadata.name}{"\n"}{end}' | tail -n 1
}
# Its name ends with the number of runs so far.
run_job() { field '{.status.run.jobName}'; }
# wait_for_another_pod THAN [SECONDS]: until a run in another pod is at its gate, and no older one.
wait_for_another_pod() { wait_for "another pod than $1 at the gate" "${2:-120}" another_pod "$1"; }
another_pod() { [ "$(run_pod)" != "$1" ] && at_gate_is 1; }
event_seen() { k get events --field-selector "reason=$1" -o name | grep -q .; }
leader() { kubectl -n "$system" get lease whimbrel-controller -o 'jsonpath={.spec.holderIdentity}'; }

# use_node NODE: runs with the nodeSelector {$node_label: here} may go there, until the end.
use_node() {
  at_end kubectl label node "$1" "$node_label-"
  kubectl label node "$1" "$node_label=here" >/dev/null
}
# on_lossy_nodes [TOLERATION]: the same as fields of `job`, for node2 too, which only they get who ask for it.
on_lossy_nodes() { echo "nodeSelector: {$node_label: here}, tolerations: [{key: e2e, operator: Exists}${1:+, $1}]"; }
# With it Kubernetes gives a pod up as soon as its node, not after a minute.
unreachable_for_a_second="{key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 1}"
node_of_run() { k get pod "$(run_pod)" -o 'jsonpath={.spec.nodeName}'; }
wait_node_ready() { wait_for "$1 to be Ready again" 60 kubectl wait --for=condition=Ready "node/$1" --timeout=1s; }

# kill_pod POD [NAMESPACE]: SIGKILL for the program in it, which the cluster learns of afterwards; where its
# processes are not ours to kill, the pod is deleted without any grace.
kill_pod() {
  local uid process killed=0
  if [ -n "${E2E_OWN_CLUSTER:-}" ]; then
    uid=$(kubectl -n "${2:-$namespace}" get pod "$1" -o 'jsonpath={.metadata.uid}')
    for process in $(pgrep -x whimbrel); do
      if grep -q "$uid" "/proc/$process/cgroup"; then kill -KILL "$process" && killed=1; fi
    done
    [ "$killed" = 1 ] || fail "found no process of $1"
  else
    kubectl -n "${2:-$namespace}" delete pod "$1" --grace-period=0 --force >/dev/null 2>&1
  fi
}

# --- facts ---------------------------------------------------------------------------------------

# wait_for WHAT SECONDS COMMAND…: until the command succeeds; fails the scenario after the deadline.
wait_for() {
  local what=$1 deadline=$((SECONDS + $2))
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || fail "waited for $what; $(standing 2>&1 || true): $(message 2>&1 || true)"
    sleep 0.2
  done
  say "$what: yes"
}

# expect WHAT ACTUAL PATTERN
expect() {
  [[ "$2" == $3 ]] || fail "$1 is '$2', not '$3'"
  say "$1: $2"
}
