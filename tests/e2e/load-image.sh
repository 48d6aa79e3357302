#!/usr/bin/env bash
# Builds the image from build/release/whimbrel and gives it to the nodes of the own cluster, under each NAME.
# Usage: load-image.sh NAME …
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

binary=$root/build/release/whimbrel
[ -x "$binary" ] || { echo "load-image: $binary is missing: make build" >&2; exit 1; }
build=(buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs)
mkdir -p "$work/root"
cp "$binary" "$work/root/whimbrel"
# The binary's libraries at the very paths where its loader looks.
ldd "$binary" | grep -o '/[^ ]*' | while read -r library; do
  mkdir -p "$work/root$(dirname "$library")"
  cp -L "$library" "$work/root$library"
done
container=$("${build[@]}" from scratch)
"${build[@]}" copy --quiet "$container" "$work/root" / >/dev/null
"${build[@]}" config --entrypoint '["/whimbrel"]' --user 65532:65532 "$container"
for name in "$@"; do
  # Another name for other content, as a release would be: a label that tells them apart.
  "${build[@]}" config --label "org.opencontainers.image.version=$name" "$container"
  "${build[@]}" commit --quiet "$container" "$name" >/dev/null
  "${build[@]}" push --quiet "$name" "docker-archive:$work/image.tar:$name"
  "$here/cluster.sh" load "$work/image.tar"
  rm "$work/image.tar"
done
