#!/usr/bin/env bash
# Prints the folder with the server programs (initdb, postgres) of a PostgreSQL major.
# Usage: scripts/postgres-bin.sh MAJOR
#
# Debian's own where it is installed; else real server binaries from Maven Central, kept in our cache.
set -euo pipefail

major=${1:?usage: scripts/postgres-bin.sh MAJOR}
debian=/usr/lib/postgresql/$major/bin
if [ -x "$debian/postgres" ]; then
  echo "$debian"
  exit 0
fi

case $major in
  13) version=13.22.0 ;;
  14) version=14.19.0 ;;
  15) version=15.14.0 ;;
  16) version=16.10.0 ;;
  17) version=17.6.0 ;;
  18) version=18.0.0 ;;
  *) echo "postgres-bin: no PostgreSQL '$major'; there are 13 to 18" >&2; exit 2 ;;
esac

# PostgreSQL refuses to run as root, and the user that it then runs as cannot look into root's home.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/whimbrel
[ "$(id -u)" -ne 0 ] || cache=/var/cache/whimbrel
target=$cache/postgresql/$version
if [ ! -x "$target/bin/postgres" ]; then
  "$(dirname "$0")/install-packages.sh" servers
  artifact=embedded-postgres-binaries-linux-$(dpkg --print-architecture)
  echo "Fetching PostgreSQL $version into $target" >&2
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mvn -q dependency:get "-Dartifact=io.zonky.test.postgres:$artifact:$version" -Dtransitive=false >&2
  mvn -q dependency:copy "-Dartifact=io.zonky.test.postgres:$artifact:$version" "-DoutputDirectory=$work" >&2
  unzip -q "$work/$artifact-$version.jar" '*.txz' -d "$work"
  mkdir -p "$cache/postgresql" "$work/server"
  tar -xJf "$work"/*.txz -C "$work/server"
  chmod -R go+rX "$work/server"
  rm -rf "$target"
  mv "$work/server" "$target"
fi
echo "$target/bin"
