#!/usr/bin/env bash
# Every set of examples/ as its reader applies it: the files as they are, and a Secret for a database of one's own.
. "$(dirname "$0")/../lib.sh"
begin examples

# What the team's own runner has left behind in the one example that takes over from another runner.
leave_table_of_another_runner() {
  query_in "$1" "SET ROLE \"$1\";
    CREATE TABLE migrations (id serial PRIMARY KEY, name varchar(255) UNIQUE NOT NULL, executed_at timestamp DEFAULT now());
    INSERT INTO migrations (name) VALUES ('001_create_users_table.sql'), ('002_create_contracts_table.sql');
    CREATE TABLE users (id serial PRIMARY KEY, name varchar(255) NOT NULL);
    CREATE TABLE contracts (id serial PRIMARY KEY, user_id int)" >/dev/null
}

names=()
for manifest in "$(dirname "$0")"/../../../examples/*/*-databasemigration.yaml; do
  name=$(sed -n 's/^  name: //p' "$manifest")
  login=${database}_r$(printf %02d ${#names[@]})
  names+=("$name")
  create_database "$login"
  login_secret "$name-db" "$login"
  [ "$name" != rental ] || leave_table_of_another_runner "$login"
  k apply -f "$(dirname "$manifest")"/*-configmap.yaml -f "$manifest" >/dev/null
done
expect "the examples" "${#names[@]}" "[1-9]*"
for name in "${names[@]}"; do
  wait_ready 120 "$name"
  expect "what waits in $name" "$(field '{.status.pendingCount}' "$name")" 0
done
