#!/bin/bash
# Makes a cluster where the volume holds none, with user, password and database of POSTGRES_*; then becomes the server.
set -euo pipefail
[ "${1:-}" = postgres ] || exec "$@"
shift
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  owner=${POSTGRES_USER:-postgres}
  mkdir -p -m 700 "$PGDATA"
  initdb --pgdata "$PGDATA" --username "$owner" --pwfile <(echo "${POSTGRES_PASSWORD:?}") --auth-host scram-sha-256 --auth-local trust --encoding UTF8
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
  if [ "${POSTGRES_DB:-postgres}" != postgres ]; then
    pg_ctl --pgdata "$PGDATA" --wait --options "-c listen_addresses='' -c unix_socket_directories=/tmp" start
    createdb --host /tmp --username "$owner" "$POSTGRES_DB"
    pg_ctl --pgdata "$PGDATA" --wait --mode fast stop
  fi
fi
exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/tmp "$@"
