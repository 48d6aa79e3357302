#!/usr/bin/env bash
# Puts deploy/parts and crds together. Usage: scripts/render-deploy.sh [--check] | [--image NAME] [--namespaces A,B,…]
#
# Without arguments it writes deploy/install.yaml and deploy/install-namespaced.yaml; with --check it fails where they
# are not what it would write. With --image or --namespaces it prints an installation: of that image, and for those
# namespaces alone (default: all).
set -euo pipefail
cd "$(dirname "$0")/.."

read -r version <VERSION
default_image=localhost/whimbrel:$version

# render IMAGE NAMESPACES: the namespaces parted by commas; empty: all.
render() {
  local image=$1 namespaces=$2 part namespace
  echo "# Whimbrel $version${namespaces:+, for the namespaces $namespaces alone}. Written by scripts/render-deploy.sh; see docs/install.md."
  for part in deploy/parts/namespace.yaml crds/*.yaml deploy/parts/{rights,people}.yaml; do
    echo "---"; cat "$part"
  done
  if [ -z "$namespaces" ]; then
    echo "---"; cat deploy/parts/binding-cluster.yaml
  fi
  for namespace in ${namespaces//,/ }; do
    echo "---"; sed "s|@NAMESPACE@|$namespace|g" deploy/parts/binding-namespace.yaml
  done
  for part in deploy/parts/{policy,controller}.yaml; do
    echo "---"
    if [ -n "$namespaces" ]; then
      sed "s|@NAMESPACES@|$namespaces|" "$part"
    else
      sed "/@NAMESPACES@/d" "$part"
    fi | sed "s|@IMAGE@|$image|g; s|@VERSION@|$version|g"
  done
}

check() {
  diff -u "$1" <(render "$default_image" "$2") >&2 && return
  echo "render-deploy: $1 is not what its parts say; scripts/render-deploy.sh writes it" >&2
  exit 1
}

valid() {
  [[ $2 =~ $3 ]] || { echo "render-deploy: $1 is '$2', which is not $4" >&2; exit 2; }
}

image=$default_image
namespaces=
case ${1:-} in
  "") render "$image" "" >deploy/install.yaml
      render "$image" default >deploy/install-namespaced.yaml
      exit 0 ;;
  --check) check deploy/install.yaml ""
           check deploy/install-namespaced.yaml default
           exit 0 ;;
esac
while [ $# -gt 0 ]; do
  case $1 in
    --image) image=${2:-} ;;
    --namespaces) namespaces=${2:-}
                  valid --namespaces "$namespaces" '^[a-z0-9-]+(,[a-z0-9-]+)*$' "a list of namespaces such as shop,billing" ;;
    *) sed -n '2,6s/^# \?//p' "$0" >&2; exit 2 ;;
  esac
  shift 2 || { echo "render-deploy: $1 needs a value" >&2; exit 2; }
done
valid --image "$image" '^[a-zA-Z0-9./:@_-]+$' "the name of an image"
render "$image" "$namespaces"
