#!/bin/sh
# Makes a virtual environment with everything that the project needs; called by make, does nothing by hand twice.
# Every way this can fail ends in one line that says what to do.
set -eu
venv=$1
python=${PYTHON:-python3}

fail() { echo "setup: $1" >&2; exit 1; }

command -v "$python" >/dev/null 2>&1 || fail "no $python here; install Python 3.11 or newer (Debian: apt install python3 python3-venv) or name one: make PYTHON=/path/to/python"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "$python is $("$python" -V 2>&1), this needs Python 3.11 or newer; name one: make PYTHON=/path/to/python"
"$python" -c 'import venv, ensurepip' 2>/dev/null || fail "$python has no venv; Debian: apt install python3-venv"

echo "setup: virtual environment in $venv, dependencies from requirements.lock (about a minute)"
"$python" -m venv "$venv"
# The lock names everything, so nothing is resolved (--no-deps): an older pip, asked for `coverage[toml]`, would take the
# newest coverage instead of the pinned one and fail on the day a newer one appears. `pip check` says what the lock lacks.
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock \
  || fail "pip could not install requirements.lock; its own message stands above (no network? a proxy? set it in pip's configuration)"
"$venv/bin/python" -m pip check >/dev/null || fail "requirements.lock lacks something that its packages need: $venv/bin/python -m pip check"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . \
  || fail "pip could not install this project into $venv; its own message stands above"
# Sources only, and pip asks their build backends for their names: those backends are in requirements.lock.
"$venv/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-binary :all: \
  --require-hashes -r .ci/schemas.lock --dest "$venv/schemas" >/dev/null \
  || fail "pip could not fetch what .ci/schemas.lock names, which the tests need; its own message stands above"
"$venv/bin/python" -m harness.stack.toxiproxy_build --ensure
