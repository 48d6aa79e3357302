#!/usr/bin/env bash
# Installs the Debian packages that a target of the Makefile needs; quick when all of them are there.
# Usage: scripts/install-packages.sh demo|test|check|bench|chaos|fuzz|servers|e2e|image …
set -euo pipefail

build=(cmake ninja-build g++ pkg-config ccache
       libcpp-httplib-dev nlohmann-json3-dev libyaml-cpp-dev libpq-dev libspdlog-dev libssl-dev
       libcli11-dev libexpected-dev zlib1g-dev prometheus-cpp-dev)
testing=(libgtest-dev libgmock-dev libpg-query-dev)

packages_for() {
  case $1 in
    build) echo "${build[@]}" ;;
    demo)  echo "${build[@]}" postgresql-15 ;;
    # python3-venv only matters where no Go is: it is how scripts/kube-assets.sh gets one.
    test)  echo "${build[@]}" "${testing[@]}" mold postgresql-15 etcd-server openssl ca-certificates python3-venv ;;
    check) echo "${build[@]}" "${testing[@]}" git python3 clang-format clang-tidy-16 shellcheck ;;
    bench) echo "${build[@]}" "${testing[@]}" libbenchmark-dev postgresql-15 etcd-server openssl ca-certificates python3-venv ;;
    # llvm-16 has the symbolizer, which gives a crash its lines.
    fuzz)  echo "${build[@]}" libpg-query-dev mold clang-16 libclang-rt-16-dev llvm-16 ;;
    chaos) echo "${build[@]}" "${testing[@]}" patch postgresql-15 ;;
    # A node (see tests/e2e), and buildah for its images. python3-venv: as for test.
    e2e)   echo "${build[@]}" postgresql-15 etcd-server openssl ca-certificates python3-venv iproute2 \
                containerd runc containernetworking-plugins buildah ;;
    # What scripts/image-root.sh needs, and what builds an image where Docker is absent.
    image-root) echo binutils python3 ca-certificates ;;
    image) echo binutils python3 ca-certificates buildah debootstrap git ;;
    # What scripts/postgres-bin.sh needs to fetch another PostgreSQL major.
    servers) echo maven unzip xz-utils ;;
    *) echo "install-packages: no package set is called '$1'; there are build, demo, test, check, bench, chaos, fuzz, servers, e2e, image, image-root" >&2
       exit 2 ;;
  esac
}

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

[ $# -gt 0 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
missing=()
for set in "$@"; do
  list=$(packages_for "$set")
  for package in $list; do
    command -v dpkg-query >/dev/null && installed "$package" && continue
    [[ " ${missing[*]-} " == *" $package "* ]] || missing+=("$package")
  done
done
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
  # Not a Debian: let the build say what it misses, in its own words.
  echo "install-packages: no apt-get here. On Debian 12 these would be installed: ${missing[*]}" >&2
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "install-packages: not root, and there is no sudo. As root, run:" >&2
    echo "  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

echo "Installing Debian packages${as_root[0]:+ (with sudo)}: ${missing[*]}" >&2
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q "$@" >&2; }
apt update
apt install -y --no-install-recommends "${missing[@]}"
