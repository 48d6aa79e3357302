#!/usr/bin/env bash
# Shows Whimbrel at work: migrations applied to a private PostgreSQL, then a broken one, then its
# correction. The files are those of examples/quickstart/, of which only the Secret is changed. What it
# starts and writes lies in one temporary folder and is gone at the end.
set -euo pipefail
cd "$(dirname "$0")/.."

whimbrel=build/release/whimbrel
folder=''
bin=''

bold='' dim='' plain=''
if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; fi
heading() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
shown() { printf '%s$ %s%s\n' "$dim" "$1" "$plain"; }

# PostgreSQL refuses to run as root.
as_server_user() {
  if [ "$(id -u)" -eq 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

clean_up() {
  local code=$?
  trap - EXIT INT TERM
  if [ -n "$folder" ]; then
    if [ -e "$folder/data/postmaster.pid" ]; then
      as_server_user "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null || true
    fi
    rm -rf "$folder"
  fi
  exit "$code"
}

build() {
  heading "Building $whimbrel (a few minutes the first time)"
  if [ -t 1 ]; then
    cmake --preset release >/dev/null
    cmake --build --preset release --target whimbrel
  else
    { cmake --preset release && cmake --build --preset release --target whimbrel; } >"$folder/build.log" 2>&1 ||
      { cat "$folder/build.log"; exit 1; }
  fi
}

random_password() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

# A port that nobody listens on, below those that the kernel gives to outgoing connections.
free_port() {
  local candidate
  while :; do
    candidate=$((20000 + RANDOM % 12000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$candidate") 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
}

start_postgres() {
  bin=$(scripts/postgres-bin.sh 15)
  heading "Starting a private PostgreSQL $("$bin/postgres" --version | awk '{print $3}') in $folder"
  password=$(random_password)
  printf '%s' "$password" >"$folder/password"
  if [ "$(id -u)" -eq 0 ]; then chown -R postgres "$folder"; fi
  (cd "$folder" && as_server_user "$bin/initdb" -D "$folder/data" -U postgres --pwfile="$folder/password" \
    -A scram-sha-256 -E UTF8 --locale=C.UTF-8 --no-sync >"$folder/initdb.log" 2>&1) ||
    { cat "$folder/initdb.log"; exit 1; }
  port=$(free_port)
  (cd "$folder" && as_server_user "$bin/pg_ctl" -D "$folder/data" -l "$folder/server.log" -w \
    -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='$folder'" start >/dev/null) ||
    { cat "$folder/server.log"; exit 1; }
  query postgres 'CREATE DATABASE quickstart'
}

query() { PGPASSWORD=$password "$bin/psql" -X -q -h 127.0.0.1 -p "$port" -U postgres -d "$1" -c "$2"; }

copy_example() {
  cp -r examples/quickstart "$folder/quickstart"
  sed -i -E "s/^( *host:).*/\1 127.0.0.1/; s/^( *port:).*/\1 \"$port\"/; s/^( *password:).*/\1 $password/" \
    "$folder"/quickstart/*secret.yaml
  configmap=$(echo "$folder"/quickstart/*configmap.yaml)
}

migrate() {
  shown "whimbrel run -f $folder/quickstart/"
  "$whimbrel" run -f "$folder/quickstart/"
}

show_database() {
  heading 'What the database holds now'
  query quickstart "
    SELECT table_schema || '.' || table_name AS relation, lower(table_type) AS type,
           string_agg(column_name, ', ' ORDER BY ordinal_position) AS columns
    FROM information_schema.tables JOIN information_schema.columns USING (table_schema, table_name)
    WHERE table_schema = 'public' GROUP BY table_schema, table_name, table_type ORDER BY 1"
}

# Appends a file to the ConfigMap, whose last key is `data`.
add_migration() {
  { echo "  $1: |"; sed 's/^/    /'; } >>"$configmap"
}

scripts/install-packages.sh demo
folder=$(mktemp -d "${TMPDIR:-/tmp}/whimbrel-demo-XXXXXX")
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

build
start_postgres
copy_example

heading '1. A Secret, a ConfigMap with SQL and a DatabaseMigration: the files that one would kubectl apply'
migrate
show_database

heading '2. A migration with a mistake: 004 names a table that is not there'
add_migration 004_phone_numbers.sql <<'SQL'
ALTER TABLE customers ADD COLUMN phone text;

-- Everybody gets an empty number to begin with.
UPDATE custmers SET phone = '' WHERE phone IS NULL;
SQL
code=0
migrate || code=$?
[ "$code" -ne 0 ] || { echo 'demo: the broken migration should have failed' >&2; exit 1; }
printf '\nIt ended with exit code %s. ' "$code"
echo 'Nothing of 004 stayed: its transaction was rolled back, and the column phone with it.'
show_database

heading '3. The mistake mended'
sed -i 's/UPDATE custmers/UPDATE customers/' "$configmap"
migrate
show_database

heading 'That was all. PostgreSQL is stopped and the folder removed.'
