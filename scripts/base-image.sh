#!/usr/bin/env bash
# Makes a Debian 12 image from Debian's packages, for where no registry of images can be reached; needs root.
# Usage: scripts/base-image.sh NAME [BUILDAH_OPTION …]. DEBIAN_MIRROR, DEBIAN_SECURITY_MIRROR: where the packages are;
# without them, where this machine's apt takes its own from.
set -euo pipefail
[ $# -ge 1 ] || { sed -n '3s/^# //p' "$0" >&2; exit 2; }
name=$1
shift
buildah=(buildah "$@")
repository() {
  # shellcheck disable=SC2016  # apt's own variables.
  apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' |
    awk -v release="$1" '$2 == release { uri = $1 } END { print uri }'
}
mirror=${DEBIAN_MIRROR:-$(repository bookworm)}
[ -n "$mirror" ] || { echo "base-image: apt knows no bookworm here: set DEBIAN_MIRROR" >&2; exit 1; }
! "${buildah[@]}" inspect --type image "$name" >/dev/null 2>&1 || exit 0
command -v debootstrap >/dev/null || { echo "base-image: debootstrap is not here: scripts/install-packages.sh image" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
debootstrap --variant=minbase bookworm "$work/root" "$mirror" >"$work/log" || { cat "$work/log" >&2; exit 1; }
security=${DEBIAN_SECURITY_MIRROR:-$(repository bookworm-security)}
[ -n "$security" ] || { echo "base-image: apt knows no bookworm-security here: set DEBIAN_SECURITY_MIRROR" >&2; exit 1; }
printf 'deb %s main\n' "$mirror bookworm" "$mirror bookworm-updates" "$security bookworm-security" \
  >"$work/root/etc/apt/sources.list"
{ chroot "$work/root" apt-get -q update && DEBIAN_FRONTEND=noninteractive chroot "$work/root" apt-get -qy dist-upgrade; } \
  >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
rm -rf "$work"/root/var/cache/apt/archives/*.deb "$work"/root/dev/*
container=$("${buildah[@]}" from scratch)
"${buildah[@]}" copy --quiet "$container" "$work/root" / >/dev/null
"${buildah[@]}" commit --quiet "$container" "$name" >/dev/null
"${buildah[@]}" rm "$container" >/dev/null
