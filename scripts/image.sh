#!/usr/bin/env bash
# Builds the image with Docker where its daemon answers, else with buildah, and prints its size and digest.
# Usage: scripts/image.sh [--binary FILE] [--archive FILE.tar]
#   --binary   takes this program (a release build made on Debian 12) instead of compiling in a container
#   --archive  writes the image to a file (docker-archive), and leaves nothing in buildah's storage
# From the environment: IMAGE (localhost/whimbrel:VERSION), REVISION and SOURCE_DATE_EPOCH (those of HEAD),
# BUILD_BASE and RUNTIME_BASE (see Dockerfile), BASE=debootstrap to make the build base from Debian's packages where no registry can be reached.
set -euo pipefail
cd "$(dirname "$0")/.."

read -r version <VERSION
image=${IMAGE:-localhost/whimbrel:$version}
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
revision=${REVISION:-$(git rev-parse HEAD 2>/dev/null || echo unknown)}
binary=
archive=
while [ $# -gt 0 ]; do
  case $1 in
    --binary) binary=${2:-} ;;
    --archive) archive=${2:-} ;;
    *) sed -n '3,8s/^# //p' "$0" >&2; exit 2 ;;
  esac
  shift 2 || { echo "image: $1 needs a value" >&2; exit 2; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
buildah=(buildah)
# Storage that needs no kernel's help and is gone afterwards.
[ -z "$archive" ] || buildah+=(--root "$work/storage" --runroot "$work/run" --storage-driver vfs)

engine=buildah
if [ -z "$archive" ] && [ "${BASE:-}" != debootstrap ] && docker info >/dev/null 2>&1; then engine=docker; fi
command -v "$engine" >/dev/null || { echo "image: neither Docker nor buildah is here: scripts/install-packages.sh image" >&2; exit 1; }

arguments=(--build-arg "VERSION=$version" --build-arg "REVISION=$revision" --build-arg "SOURCE_DATE_EPOCH=$epoch"
           --build-arg "CREATED=$(date -u -d "@$epoch" +%Y-%m-%dT%H:%M:%SZ)")
[ -z "${RUNTIME_BASE:-}" ] || arguments+=(--build-arg "RUNTIME_BASE=$RUNTIME_BASE")
[ -z "${JOBS:-}" ] || arguments+=(--build-arg "JOBS=$JOBS")

dockerfile=Dockerfile
context=.
if [ -n "$binary" ]; then
  [ -x "$binary" ] || { echo "image: $binary is no program: make build" >&2; exit 1; }
  mkdir "$work/build" "$work/context"
  SOURCE_DATE_EPOCH=$epoch scripts/image-root.sh "$binary" "$work/build/image"
  # The last stage as it is; what it copies comes from a folder instead of the stage before.
  dockerfile=$work/Dockerfile
  context=$work/context
  sed '/^FROM .* AS build$/,/^$/d' Dockerfile >"$dockerfile"
  arguments+=(--build-context "build=$work/build")
elif [ "${BASE:-}" = debootstrap ]; then
  base=localhost/whimbrel-build-base:bookworm
  scripts/base-image.sh "$base" "${buildah[@]:1}"
  arguments+=(--build-arg "BUILD_BASE=$base")
elif [ -n "${BUILD_BASE:-}" ]; then
  arguments+=(--build-arg "BUILD_BASE=$BUILD_BASE")
fi

if [ "$engine" = docker ]; then
  docker build "${arguments[@]}" -f "$dockerfile" -t "$image" "$context"
  docker image inspect -f "$image: {{.Size}} bytes, {{.Id}}" "$image"
else
  "${buildah[@]}" bud --quiet --isolation chroot --format oci --layers=false --identity-label=false --timestamp "$epoch" \
    "${arguments[@]}" -f "$dockerfile" -t "$image" "$context" >"$work/id"
  container=$("${buildah[@]}" from --pull-never "$image")
  root=$("${buildah[@]}" mount "$container")
  size=$(du -sb "$root" | cut -f1)
  mkdir -p build
  cp "$root/sbom.spdx.json" build/sbom.spdx.json
  "${buildah[@]}" umount "$container" >/dev/null
  "${buildah[@]}" rm "$container" >/dev/null
  echo "$image: $size bytes, $("${buildah[@]}" inspect --type image --format '{{.FromImageDigest}}' "$image")"
  if [ -n "$archive" ]; then
    rm -f "$archive"
    "${buildah[@]}" push --quiet "$image" "docker-archive:$archive:$image"
  fi
fi
