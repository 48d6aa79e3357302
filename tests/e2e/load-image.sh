#!/usr/bin/env bash
# Builds the image as it is shipped, around build/release/whimbrel, and gives it to the nodes of the own cluster
# under each NAME. Usage: load-image.sh NAME …
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for name in "$@"; do
  # Another revision under another name, as a release would be.
  IMAGE=$name REVISION=${name##*:} "$root/scripts/image.sh" --binary "$root/build/release/whimbrel" --archive "$work/image.tar"
  "$here/cluster.sh" load "$work/image.tar"
done
