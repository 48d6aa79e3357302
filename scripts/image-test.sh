#!/usr/bin/env bash
# Tests the image that scripts/image.sh makes of a release build; needs root and buildah.
# Usage: scripts/image-test.sh BINARY
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -eq 1 ] || { sed -n '3s/^# //p' "$0" >&2; exit 2; }

most_bytes=40000000
export REVISION=test SOURCE_DATE_EPOCH=1700000000
names=(localhost/whimbrel-image-test:one localhost/whimbrel-image-test:two)
container=
work=$(mktemp -d)

fail() {
  echo "image-test: $1" >&2
  exit 1
}

clean_up() {
  [ -z "$container" ] || buildah rm "$container" >/dev/null
  buildah rmi --force "${names[@]}" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap clean_up EXIT

digest_of() { buildah inspect --type image --format '{{.FromImageDigest}}' "$1"; }
config_of() { buildah inspect --type image --format "{{$1}}" "${names[0]}"; }

# in_image ARGUMENT …: as the kubelet runs it, of a read-only root, by a user without rights.
in_image() {
  # shellcheck disable=SC2016
  unshare --mount sh -c 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" &&
    root=$1 && shift && exec chroot --userspec=65532:65532 "$root" /whimbrel "$@"' sh "$root" "$@"
}

# The storage's time must not matter, nor what the binary's own is.
cp "$1" "$work/whimbrel"
IMAGE=${names[0]} scripts/image.sh --binary "$1"
IMAGE=${names[1]} scripts/image.sh --binary "$work/whimbrel" >/dev/null
[ "$(digest_of "${names[0]}")" = "$(digest_of "${names[1]}")" ] || fail "two builds differ"

[ "$(config_of .OCIv1.Config.User)" = 65532:65532 ] || fail "the user is $(config_of .OCIv1.Config.User)"
[ "$(config_of .OCIv1.Config.Entrypoint)" = "[/whimbrel]" ] || fail "the entry point is $(config_of .OCIv1.Config.Entrypoint)"
for label in title description version revision created source licenses; do
  [ -n "$(config_of "index .OCIv1.Config.Labels \"org.opencontainers.image.$label\"")" ] || fail "label $label is missing"
done
[ "$(config_of 'index .OCIv1.Config.Labels "org.opencontainers.image.created"')" = 2023-11-14T22:13:20Z ] ||
  fail "the label created is not SOURCE_DATE_EPOCH"

container=$(buildah from --pull-never "${names[0]}")
root=$(buildah mount "$container")
size=$(du -sb "$root" | cut -f1)
[ "$size" -le "$most_bytes" ] || fail "$size bytes are more than $most_bytes"
programs=$(find "$root" -type f -perm /111 ! -name '*.so*' ! -path "$root/whimbrel")
[ -z "$programs" ] || fail "other programs: $programs"
special=$(find "$root" \( -perm /6000 -o -perm -o+w -o ! -user 0 \) ! -type l)
[ -z "$special" ] || fail "writable, setuid or not root's: $special"

in_image --version >/dev/null || fail "--version does not run"
in_image controller --help | grep -q leader-elect || fail "the controller does not run"
code=0
in_image runner 2>"$work/err" >/dev/null || code=$?
[ "$code" -eq 2 ] || fail "a runner without a task ended with $code: $(cat "$work/err")"

python3 - "$root" <<'PY' || fail "the SBOM is not that of the image"
import hashlib, json, pathlib, sys
root = pathlib.Path(sys.argv[1])
sbom = json.loads((root / "sbom.spdx.json").read_text())
sums = {file["fileName"][2:]: file["checksums"][1]["checksumValue"] for file in sbom["files"]}
for name, value in sums.items():
    assert hashlib.sha256((root / name).read_bytes()).hexdigest() == value, name
libraries = {str(path.relative_to(root)) for path in root.rglob("*.so*")}
assert libraries and libraries < sums.keys(), libraries - sums.keys()
ids = [entry["SPDXID"] for entry in sbom["packages"] + sbom["files"]]
assert len(ids) == len(set(ids)), "an SPDXID comes twice"
known = {*ids, "SPDXRef-DOCUMENT"}
for one in sbom["relationships"]:
    assert {one["spdxElementId"], one["relatedSpdxElement"]} <= known, one
for package in sbom["packages"][1:]:
    assert (root / "licenses" / package["name"] / "copyright").stat().st_size > 0, package["name"]
PY
echo "image-test: $size bytes, twice $(digest_of "${names[0]}")"
