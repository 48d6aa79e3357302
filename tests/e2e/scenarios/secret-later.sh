#!/usr/bin/env bash
# The Secret comes after the resource, with a wrong password first: each is said, and heals itself.
. "$(dirname "$0")/../lib.sh"
begin secret-later

k delete secret db >/dev/null
files sql "$(step 001)"
migration
wait_reason SecretNotFound
right=$database_password
database_password=wrong login_secret db "$database"
wait_reason AuthenticationFailed 120
expect "the message" "$(message)" "*$database*"
k create secret generic db --dry-run=client -o yaml --from-literal=host="$PGHOST" --from-literal=port="$PGPORT" \
  --from-literal=dbname="$database" --from-literal=username="$database" --from-literal=password="$right" | apply
wait_ready 120
expect_witness "001"
