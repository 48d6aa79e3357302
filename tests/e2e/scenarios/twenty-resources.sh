#!/usr/bin/env bash
# Twenty resources with a database each, created at once: all become Ready, each file is applied once.
. "$(dirname "$0")/../lib.sh"
begin twenty-resources

names=()
for number in {01..20}; do names+=("r$number"); done
for name in "${names[@]}"; do
  create_database "${database}_$name"
  login_secret "$name" "${database}_$name"
done
files sql "$(step 001)" "$(step 002)"
for name in "${names[@]}"; do
  migration -n "$name" "database: {secretRef: {name: $name}}"
done
for name in "${names[@]}"; do wait_ready 240 "$name"; done
wrong=0
for name in "${names[@]}"; do
  seen=$(query_in "${database}_$name" "SELECT string_agg(version, ' ' ORDER BY at) FROM witness")
  [ "$seen" = "001 002" ] || { say "$name saw '$seen'"; wrong=$((wrong + 1)); }
done
expect "databases that saw anything else" "$wrong" 0
