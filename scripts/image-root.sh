#!/usr/bin/env bash
# Makes the root file system of the image: the binary, exactly the libraries that it loads, the roots of the web's
# certificates, a user, the licences of all that, and an SBOM. On Debian; of equal packages equal bytes.
# Usage: scripts/image-root.sh BINARY FOLDER (which must not be there yet). SOURCE_DATE_EPOCH: the time of every file.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 2 ] || { sed -n '4s/^# //p' "$0" >&2; exit 2; }
binary=$1
root=$2
epoch=${SOURCE_DATE_EPOCH:-0}
umask 022
mkdir "$root"

install -D "$binary" "$root/whimbrel"
strip --strip-all "$root/whimbrel"

# The loader looks at these very paths, without a cache.
ldd "$binary" | grep -o '/[^ ]*' | sort -u | while read -r library; do
  install -D -m 755 "$library" "$root$library"
done

# From the package and not from /etc, where an administrator may have added his own.
bundle=$root/etc/ssl/certs/ca-certificates.crt
mkdir -p "$(dirname "$bundle")" "$root/usr/lib/ssl"
dpkg-query -L ca-certificates | grep '\.crt$' | LC_ALL=C sort | xargs cat >"$bundle"
ln -s ../../../etc/ssl/certs/ca-certificates.crt "$root/usr/lib/ssl/cert.pem"

echo "nonroot:x:65532:65532:nonroot:/:/sbin/nologin" >"$root/etc/passwd"
echo "nonroot:x:65532:" >"$root/etc/group"
echo "hosts: files dns" >"$root/etc/nsswitch.conf"

install -D -m 644 "$here/../LICENSE" "$root/licenses/whimbrel/LICENSE"
mkdir "$root/licenses/common-licenses"
cp -L /usr/share/common-licenses/* "$root/licenses/common-licenses/"
python3 "$here/sbom.py" "$root" >"$root/sbom.spdx.json"

find "$root" -exec touch -h -d "@$epoch" {} +
