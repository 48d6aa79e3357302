#!/usr/bin/env bash
# A tar.gz in binaryData, with folders and more than one could name as keys.
. "$(dirname "$0")/../lib.sh"
begin archive

folder=$(mktemp -d)
at_end rm -rf "$folder"
mkdir -p "$folder/migrations"
for number in {001..200}; do echo "INSERT INTO witness (version) VALUES ('$number');" >"$folder/migrations/${number}_step.sql"; done
tar -C "$folder/migrations" -czf "$folder/files.tar.gz" .
k create configmap sql --from-file=files.tar.gz="$folder/files.tar.gz" >/dev/null
migration "source: {archive: {configMap: sql, key: files.tar.gz}}"
wait_ready
expect_witness "$(echo {001..200})"
expect "applied" "$(field '{.status.appliedCount}')" 200
