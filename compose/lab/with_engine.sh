#!/usr/bin/env bash
# Runs a command with a Docker engine: the one that is there, else one of the lab's, which goes again with the command.
#
#   compose/lab/with_engine.sh COMMAND...
#
# LAB=FOLDER keeps the lab's images in FOLDER for the next time; without it nothing is left.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

if docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1; then
  exec "$@"
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "no Docker engine with Compose v2 answers: start one, or name it by DOCKER_HOST; or be root on a Debian machine of your own, for the lab (compose/lab/lab.sh)" >&2
  exit 2
fi
folder=${LAB:-/var/tmp/payment-chaos-lab}
ending=remove
[ -z "${LAB:-}" ] || ending=stop
# A signal to the group reaches the command too; it ends first, and then the lab.
trap : INT TERM
trap 'bash "$here/lab.sh" "$folder" $ending' EXIT
exports=$(bash "$here/lab.sh" "$folder" start)
eval "$exports"
code=0
"$@" || code=$?
exit $code
