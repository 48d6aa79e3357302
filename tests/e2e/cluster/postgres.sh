#!/usr/bin/env bash
# A PostgreSQL server that the pods reach, as first process of a PID namespace. Started by cluster.sh.
set -euo pipefail
cd "$E2E_FOLDER"
bin=$("$E2E_ROOT/scripts/postgres-bin.sh" 15)

if [ ! -e data/PG_VERSION ]; then
  chown postgres . password server.key server.crt
  runuser -u postgres -- "$bin/initdb" -D "$E2E_FOLDER/data" -U postgres --pwfile=password \
    -A scram-sha-256 -E UTF8 --locale=C.UTF-8 --no-sync
  cat >>data/postgresql.conf <<CONF
listen_addresses = '$E2E_HOST'
unix_socket_directories = ''
max_connections = 300
fsync = off # This server crashes, the machine below does not.
ssl = on
ssl_cert_file = '$E2E_FOLDER/server.crt'
ssl_key_file = '$E2E_FOLDER/server.key'
log_line_prefix = '%m [%p] %q%u@%d %a '
CONF
  echo "host all all 10.0.0.0/8 scram-sha-256" >>data/pg_hba.conf
fi
rm -f data/postmaster.pid # of the server that died with this machine
runuser -u postgres -- "$bin/postgres" -D "$E2E_FOLDER/data"
