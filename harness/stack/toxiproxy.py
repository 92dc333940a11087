"""How is the real Toxiproxy found, started and spoken to?

Spoken to through the package toxiproxy-python, as far as it goes. Its `Proxy`
and `Toxiproxy` classes are not used: they keep the server's address on a class,
one for the whole process, wait for ever, and take a 5xx for success. Its
`APIConsumer` takes an address a subclass and passes `timeout` on, so one is made
for each server here, and every answer is checked. `/reset` and `/populate` are
server-wide and never called: a server may be shared.

`python -m harness.stack.toxiproxy_build --ensure` is a part of set-up.
"""

import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from toxiproxy.api import APIConsumer
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists

from harness.errors import FaultError, StackError, TimeLimit, UsageError
from harness.stack.addresses import TOXIPROXY_URL
from harness.stack.parts import ProxyState, Toxic
from harness.stack.ports import LOOPBACK, Ports
from harness.stack.process import Child, Undo, inherited, wait_for

VARIABLE = TOXIPROXY_URL
PROGRAM = "toxiproxy-server"
CALL_LIMIT_S = 2.0
"""Deadline of one call to the server; its answers take milliseconds."""
READY_LIMIT_S = 10.0
STAMP = re.compile(rb"mod\tgithub\.com/Shopify/toxiproxy/v2\t(v[^\t\n]+)")
"""Go's own note of a program's module and version."""
NO_PROXIES = {"http": None, "https": None, "all": None}
"""An HTTP proxy in the environment must not come between us and a server on loopback."""


class Toxiproxy:
    """One Toxiproxy server; every call has a deadline and raises FaultError or TimeLimit where it fails."""

    def __init__(self, url: str, *, pid: int | None = None, release: str | None = None) -> None:
        """`url` is that of its control API; `pid` and `release` are None where the server is another's."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise UsageError(f"${VARIABLE} must read http://127.0.0.1:8474, not {url!r}")
        self.url = url.rstrip("/")
        self.pid = pid
        self._release = release
        address = {"host": parts.hostname, "port": parts.port or 80}
        self._api: Any = type("Api", (APIConsumer,), address)

    def version(self) -> str:
        """Of our own server what its program is stamped with, since one built by `go install` calls itself "git"."""
        return self._release or str(self._call("get", "/version").get("version", "unknown"))

    def proxies(self) -> Mapping[str, ProxyState]:
        """Every proxy of the server, also those of other runs, with its toxics; by name."""
        return {name: proxy_state(row) for name, row in self._call("get", "/proxies").items()}

    def create_proxy(self, name: str, *, listen: str, upstream: str) -> ProxyState:
        """Open a proxy from `listen` to `upstream` (host:port each)."""
        row = {"name": name, "listen": listen, "upstream": upstream, "enabled": True}
        return proxy_state(self._call("post", "/proxies", json=row))

    def delete_proxy(self, name: str) -> bool:
        """Remove a proxy with its toxics and cut its connections; False when there was none."""
        return self._delete(f"/proxies/{quote(name, safe='')}")

    def enable(self, name: str) -> None:
        """Let a proxy listen again."""
        self._call("post", f"/proxies/{quote(name, safe='')}", json={"enabled": True})

    def disable(self, name: str) -> None:
        """Stop a proxy from listening and cut its connections."""
        self._call("post", f"/proxies/{quote(name, safe='')}", json={"enabled": False})

    def add_toxic(self, proxy: str, toxic: Toxic) -> None:
        """Set a toxic on a proxy; it strikes connections that are open already too."""
        row = {
            "name": toxic.name,
            "type": toxic.kind,
            "stream": toxic.stream,
            "toxicity": toxic.toxicity,
            "attributes": dict(toxic.attributes),
        }
        self._call("post", f"/proxies/{quote(proxy, safe='')}/toxics", json=row)

    def remove_toxic(self, proxy: str, name: str) -> bool:
        """Remove a toxic; False when it was not there."""
        return self._delete(self._toxic_path(proxy, name))

    def proxy_url(self, name: str) -> str:
        """What a DELETE must be sent to so that the proxy is gone."""
        return f"{self.url}/proxies/{quote(name, safe='')}"

    def toxic_url(self, proxy: str, name: str) -> str:
        """What a DELETE must be sent to so that the toxic is gone."""
        return self.url + self._toxic_path(proxy, name)

    def answers(self) -> bool:
        """Whether the server answers now."""
        try:
            self._call("get", "/version")
        except (FaultError, TimeLimit):
            return False
        return True

    def _toxic_path(self, proxy: str, name: str) -> str:
        return f"/proxies/{quote(proxy, safe='')}/toxics/{quote(name, safe='')}"

    def _delete(self, path: str) -> bool:
        try:
            self._call("delete", path)
        except FaultError as exc:
            if isinstance(exc.__cause__, NotFound):
                return False
            raise
        return True

    def _call(self, verb: str, path: str, **options: Any) -> dict[str, Any]:
        """One call through the package; returns the JSON object of the answer, or an empty one."""
        at = f"Toxiproxy at {self.url}: {verb.upper()} {path}"
        try:
            reply = getattr(self._api, verb)(path, timeout=CALL_LIMIT_S, proxies=NO_PROXIES, **options)
        except requests.Timeout as exc:
            raise TimeLimit(f"{at}: no answer within {CALL_LIMIT_S:g} s (limit toxiproxy_call)") from exc
        except (ProxyExists, NotFound, InvalidToxic, requests.RequestException) as exc:
            raise FaultError(f"{at}: {words(exc)}") from exc
        if not reply.ok:
            raise FaultError(f"{at}: status {reply.status_code}: {reply.text.strip()}")
        try:
            row = reply.json() if reply.content else {}
        except requests.JSONDecodeError as exc:
            raise FaultError(f"{at}: the answer is no JSON; is that a Toxiproxy?") from exc
        return row if isinstance(row, dict) else {}


def words(exc: Exception) -> str:
    """What the server said, of an exception of the package: it keeps the answer's bytes."""
    first = exc.args[0] if exc.args else ""
    return first.decode(errors="replace").strip() if isinstance(first, bytes) else str(exc)


def proxy_state(row: Mapping[str, Any]) -> ProxyState:
    """A proxy from the server's JSON."""
    return ProxyState(
        name=row["name"],
        # A wildcard comes back in the form of the other family, where one socket serves both.
        listen=row["listen"].replace("[::]:", "0.0.0.0:"),
        upstream=row["upstream"],
        enabled=row["enabled"],
        toxics=tuple(
            Toxic(
                name=toxic["name"],
                kind=toxic["type"],
                stream=toxic["stream"],
                attributes=toxic["attributes"],
                toxicity=toxic["toxicity"],
            )
            for toxic in row["toxics"]
        ),
    )


@contextmanager
def open_toxiproxy(
    *,
    log: Path,
    port: int | None = None,
    undo: Undo | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Iterator[Toxiproxy]:
    """A server until the `with` block ends: `$TOXIPROXY_URL`, else our own on `port` (None: any free one). 30 ms."""
    if address := environ.get(VARIABLE):
        shared = Toxiproxy(address)
        if not shared.answers():
            raise UsageError(f"no Toxiproxy answers at {address}, which ${VARIABLE} names; start it or unset that")
        yield shared
        return
    program = find_program(environ)
    if program is None:
        raise StackError(
            f"no {PROGRAM}: set ${VARIABLE} to a running one, put {PROGRAM} on PATH, or build it: "
            "`python -m harness.stack.toxiproxy_build --ensure`"
        )
    with ExitStack() as opened:
        if port is None:
            port = opened.enter_context(Ports()).take()[0]
        child = Child(
            "Toxiproxy",
            [str(program), "-host", LOOPBACK, "-port", str(port)],
            log=log,
            env={**inherited(environ), "LOG_LEVEL": "error"},
            cwd=Path("/"),
            undo=undo,
        )
        opened.callback(child.stop)
        server = Toxiproxy(f"http://{LOOPBACK}:{port}", pid=child.pid, release=release_of(program))
        wait_for(lambda: not child.alive() or server.answers(), READY_LIMIT_S, "Toxiproxy (limit toxiproxy_ready)")
        if not child.alive():
            raise StackError(f"Toxiproxy ended while starting: {child.tail()}")
        yield server


def find_program(environ: Mapping[str, str] = os.environ, beside: Path = Path(sys.executable).parent) -> Path | None:
    """The server on PATH, else the one that set-up put into the folder `beside` (that of this Python)."""
    found = shutil.which(PROGRAM, path=environ.get("PATH", "")) or shutil.which(PROGRAM, path=str(beside))
    return None if found is None else Path(found)


def release_of(program: Path) -> str | None:
    """The version that Go has stamped into the program (50 ms); None where there is none."""
    found = STAMP.search(program.read_bytes())
    return None if found is None else found.group(1).decode()
