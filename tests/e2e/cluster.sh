#!/usr/bin/env bash
# A private Kubernetes cluster on this machine, for the e2e tests: a control plane, two nodes and a PostgreSQL.
# Usage: tests/e2e/cluster.sh up|down|status
#        tests/e2e/cluster.sh load IMAGE.tar …          import images (docker-archive or OCI) on both nodes
#        tests/e2e/cluster.sh pause|resume NODE         freeze its kubelet: containers go on, nobody hears of them
#        tests/e2e/cluster.sh crash|start MACHINE       power failure: everything of a node, or of postgres, dies at once
#
# Needs root and Debian's containerd, runc, etcd-server …: scripts/install-packages.sh e2e. Not systemd.
# Everything lies in E2E_CLUSTER (default /tmp/whimbrel-e2e): kubeconfig, postgres.env for libpq, all logs.
#
# Each "machine" (control, node1, node2, postgres) is a PID and mount namespace of its own: killing its first
# process kills all of it, and its mounts go with it. They share the host's network, where every
# server has an address of its own on `lo`: nothing else listens there, so ports need no search, and
# pods reach all of them through their bridge without any translation of addresses. That also is why
# no kube-proxy is here: the API server itself sits at the cluster IP of the Service `kubernetes`;
# other Services have no cluster IP that answers, and there is no DNS.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
folder=${E2E_CLUSTER:-/tmp/whimbrel-e2e}
nodes=(node1 node2)
export KUBECONFIG=$folder/kubeconfig

fail() {
  echo "cluster: $1" >&2
  exit 1
}

# wait_until SECONDS WHAT COMMAND…
wait_until() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || fail "gave up waiting for $what; logs are in $folder/*/"
    sleep 0.2
  done
}

# --- what a cluster is ---------------------------------------------------------------------------

# Sets the addresses from $network, the second octet of a 10.x.0.0/16 that nobody here uses.
set_addresses() {
  bridge=whe2e$network
  pods_gateway=10.$network.0.1 # and 10.$network.<node number>.x for its pods
  api_address=10.$network.64.1 # the first of the Service range, as the API server takes it
  host_address=10.$network.128.1
}

node_number() {
  local number=${1#node}
  [[ " ${nodes[*]} " == *" $1 "* ]] || fail "no node is called '$1'; there are ${nodes[*]}"
  echo "$number"
}

node_address() { echo "10.$network.128.$((10 + $(node_number "$1")))"; }

free_network() {
  local candidate
  for candidate in {200..250}; do
    if ! { ip -4 -o addr; ip -4 route; } | grep -q "10\.$candidate\."; then
      echo "$candidate"
      return
    fi
  done
  fail "no 10.x.0.0/16 with x in 200 to 250 is free"
}

load_settings() {
  [ -e "$folder/settings" ] || fail "no cluster in $folder: tests/e2e/cluster.sh up"
  # shellcheck disable=SC1091
  . "$folder/settings"
  set_addresses
}

# --- certificates and logins ----------------------------------------------------------------------

# sign NAME SUBJECT EXTENSIONS: a key and a certificate of the cluster's own authority.
sign() {
  openssl req -new -newkey rsa:2048 -nodes -keyout "$1.key" -subj "$2" -out "$1.csr" 2>/dev/null
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out "$1.crt" \
    -extfile <(printf '%s\n' "$3") 2>/dev/null
}

make_certificates() (
  mkdir -p "$folder/pki" && cd "$folder/pki"
  openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 30 -subj /CN=whimbrel-e2e 2>/dev/null
  sign server /CN=kube-apiserver \
    "subjectAltName=IP:$api_address,IP:127.0.0.1,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"
  sign kubelet-client /O=system:masters/CN=kube-apiserver extendedKeyUsage=clientAuth
  openssl genrsa -out service-accounts.key 2048 2>/dev/null
  openssl rsa -in service-accounts.key -pubout -out service-accounts.pub 2>/dev/null
)

# add_login USER GROUP FILE: a token in the API server's list and a kubeconfig that uses it.
add_login() {
  local token
  token=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
  echo "$token,$1,$1,\"$2\"" >>"$folder/tokens.csv"
  cat >"$3" <<YAML
apiVersion: v1
kind: Config
clusters:
  - name: e2e
    cluster: {server: "https://$api_address", certificate-authority: $folder/pki/ca.crt}
users:
  - name: user
    user: {token: $token}
contexts:
  - name: e2e
    context: {cluster: e2e, user: user}
current-context: e2e
YAML
}

# --- machines --------------------------------------------------------------------------------------

# A process is known by pid and start time, so that a pid that was given away again is nobody's.
start_time() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

running() {
  local pid started
  read -r pid started 2>/dev/null <"$folder/$1/pid" || return 1
  [ -n "$started" ] && [ "$(start_time "$pid")" = "$started" ]
}

# start_machine NAME SCRIPT ARGUMENT…
start_machine() {
  local name=$1 pid
  shift
  running "$name" && return
  mkdir -p "$folder/$name"
  setsid unshare --fork --pid --kill-child --mount --mount-proc bash "$@" \
    </dev/null >>"$folder/$name/machine.log" 2>&1 &
  pid=$!
  echo "$pid $(start_time "$pid")" >"$folder/$name/pid"
}

stop_machine() {
  local pid init
  running "$1" || return 0
  read -r pid _ <"$folder/$1/pid"
  init=$(pgrep -P "$pid") || true
  # unshare takes its child with it, and the kernel every process of the child's PID namespace.
  kill -KILL "$pid" 2>/dev/null || true
  while [ -n "$init" ] && [ -e "/proc/$init" ]; do sleep 0.05; done
  rm -f "$folder/$1/pid"
}

program_of() { pgrep -P "$(pgrep -P "$(cut -d' ' -f1 "$folder/$1/pid")")" -x "$2"; }

start_node() {
  local name=$1
  E2E_FOLDER=$folder/$name E2E_NAME=$name E2E_ADDRESS=$(node_address "$name") E2E_BRIDGE=$bridge \
    E2E_SUBNET=10.$network.0.0/18 E2E_PODS="10.$network.$(node_number "$name")" E2E_GATEWAY=$pods_gateway \
    E2E_AUTHORITY=$folder/pki/ca.crt E2E_PROGRAMS=$programs start_machine "$name" "$here/cluster/node.sh"
}

start_control() {
  E2E_FOLDER=$folder/control E2E_PKI=$folder/pki E2E_TOKENS=$folder/tokens.csv E2E_API=$api_address \
    E2E_HOST=$host_address E2E_SERVICES=10.$network.64.0/18 E2E_PROGRAMS=$programs \
    start_machine control "$here/cluster/control.sh"
}

start_postgres() {
  E2E_FOLDER=$folder/postgres E2E_HOST=$host_address E2E_ROOT=$root \
    start_machine postgres "$here/cluster/postgres.sh"
}

# --- commands --------------------------------------------------------------------------------------

check_machine() {
  [ "$(id -u)" -eq 0 ] || fail "needs root: it starts containers (or give the KUBECONFIG of a cluster to make e2e)"
  local program
  for program in containerd runc etcd ip openssl buildah unshare; do
    command -v "$program" >/dev/null || fail "$program is missing: scripts/install-packages.sh e2e"
  done
}

set_up_network() {
  # Without an address of its own it takes that of a port, and changes it when a pod comes or goes: then the
  # others' packets go nowhere until they ask for it anew, after seconds.
  ip link add "$bridge" address "$(printf '0a:e2:0e:00:00:%02x' "$network")" type bridge
  ip addr add "$pods_gateway/18" dev "$bridge"
  ip link set "$bridge" up
  local address
  for address in "$api_address" "$host_address" "$(node_address node1)" "$(node_address node2)"; do
    ip addr add "$address/32" dev lo
  done
}

# What the server and libpq's programs here need: key, certificate, password.
prepare_postgres() (
  umask 077
  mkdir -p "$folder/postgres"
  cd "$folder/pki"
  sign postgres /CN=postgres "subjectAltName=IP:$host_address"
  install -m 600 postgres.key "$folder/postgres/server.key"
  install -m 644 postgres.crt "$folder/postgres/server.crt"
  od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$folder/postgres/password"
  printf 'export %s\n' PGHOST="$host_address" PGPORT=5432 PGUSER=postgres PGDATABASE=postgres \
    PGPASSWORD="$(cat "$folder/postgres/password")" >"$folder/postgres.env"
)

# shellcheck disable=SC1091
postgres_answers() { (. "$folder/postgres.env" && psql -Xqc 'SELECT 1'); }
node_ready() { "$programs/kubectl" wait --for=condition=Ready "node/$1" --timeout=1s; }
images_there() { "$here/cluster/ctr.sh" "$folder/$1" version; }

up() {
  check_machine
  if [ -e "$folder/settings" ]; then
    load_settings
    if running control; then
      echo "cluster: already up; export KUBECONFIG=$KUBECONFIG"
      return
    fi
    down
  fi
  programs=$(env -u KUBEBUILDER_ASSETS "$root/scripts/kube-assets.sh" \
    kube-apiserver kubectl kube-controller-manager kube-scheduler kubelet)
  network=$(free_network)
  set_addresses
  mkdir -p "$folder/control"
  chmod 711 "$folder"
  printf 'network=%s\nprograms=%q\n' "$network" "$programs" >"$folder/settings"
  (umask 077 && make_certificates)
  touch "$folder/tokens.csv" && chmod 600 "$folder/tokens.csv"
  local name umask_before
  umask_before=$(umask)
  umask 077
  add_login admin system:masters "$KUBECONFIG"
  add_login system:kube-controller-manager system:e2e "$folder/control/controller-manager.kubeconfig"
  add_login system:kube-scheduler system:e2e "$folder/control/scheduler.kubeconfig"
  for name in "${nodes[@]}"; do
    mkdir -p "$folder/$name"
    add_login "system:node:$name" system:nodes "$folder/$name/kubeconfig"
  done
  umask "$umask_before"
  prepare_postgres
  set_up_network
  start_control
  start_postgres
  for name in "${nodes[@]}"; do start_node "$name"; done
  "$here/cluster/pause-image.sh" "$folder/pause.tar"
  for name in "${nodes[@]}"; do wait_until 30 "containerd of $name" images_there "$name"; done
  load "$folder/pause.tar"
  wait_until 60 "the API server" "$programs/kubectl" get --raw /readyz
  for name in "${nodes[@]}"; do wait_until 60 "$name to be Ready" node_ready "$name"; done
  wait_until 60 PostgreSQL postgres_answers
  # Only what tolerates it and wants it goes to the second node: it is there to be lost.
  "$programs/kubectl" taint --overwrite node node2 e2e=lossy:NoSchedule >/dev/null
  wait_until 30 "the ServiceAccount of the namespace default" "$programs/kubectl" -n default get serviceaccount default
  echo "cluster: up; export KUBECONFIG=$KUBECONFIG"
}

down() {
  [ -e "$folder/settings" ] || { echo "cluster: none in $folder"; return; }
  load_settings
  local name address
  for name in postgres "${nodes[@]}" control; do stop_machine "$name"; done
  for name in "${nodes[@]}"; do "$here/cluster/cgroup.sh" remove "$name" || true; done
  ip link del "$bridge" 2>/dev/null || true
  for address in "$api_address" "$host_address" "$(node_address node1)" "$(node_address node2)"; do
    ip addr del "$address/32" dev lo 2>/dev/null || true
  done
  rm -rf "$folder"
  echo "cluster: down"
}

undo_up() {
  local code=$?
  trap - EXIT
  tail -n 5 "$folder"/*/*.log >&2 || true
  down >&2
  exit "$code"
}

status() {
  load_settings
  local name
  for name in control "${nodes[@]}" postgres; do
    if running "$name"; then echo "$name: running"; else echo "$name: stopped"; fi
  done
  "$programs/kubectl" get nodes -o wide
}

load() {
  local tar name
  for tar in "$@"; do
    for name in "${nodes[@]}"; do
      "$here/cluster/ctr.sh" "$folder/$name" -n k8s.io images import "$tar" >/dev/null
    done
  done
}

command=${1:-}
[ $# -gt 0 ] && shift
case $command in
  up) trap undo_up EXIT
      trap 'exit 130' INT TERM
      up
      trap - EXIT ;;
  down) down ;;
  status) status ;;
  load) load_settings && load "$@" ;;
  pause) load_settings && kill -STOP "$(program_of "$1" kubelet)" ;;
  resume) load_settings && kill -CONT "$(program_of "$1" kubelet)" ;;
  crash) load_settings && stop_machine "$1" ;;
  start) load_settings
         if [ "$1" = postgres ]; then start_postgres; else start_node "$1"; fi ;;
  *) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
     exit 2 ;;
esac
