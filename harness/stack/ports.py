"""Which TCP ports on loopback are ours to listen on?

Ports lie outside `ip_local_port_range`, else an outgoing connection could take
the port of a server that was just killed, and its restart would fail. Between
the choice of a port and the `bind` of the process that gets it, and between a
kill and a restart, nothing listens there; so that lanes side by side do not
choose the same one, each reservation also holds a name in Linux's abstract
socket namespace. That name belongs to the network namespace, as ports do,
needs no folder and no permissions, and ends with the process that holds it.
"""

import errno
import random
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from harness.errors import PortTaken, StackError, UsageError

LOOPBACK = "127.0.0.1"
LOWEST = 10_000
"""Below lie the well-known servers' ports."""
HIGHEST = 65_535
ENOUGH = 1_000
"""A span smaller than this is not worth choosing from."""
TRIES = 500
RANGE_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def check_free(host: str, port: int) -> None:
    """Raise PortTaken where nobody could listen there now, UsageError where the address is not this machine's."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OverflowError as exc:
            raise UsageError(f"{port} is no port; name one between 1 and {HIGHEST}") from exc
        except OSError as exc:
            if exc.errno == errno.EADDRINUSE:
                raise PortTaken(f"port {port} of {host} is in use; name another") from exc
            raise UsageError(f"nobody can listen at {host} port {port}: {exc.strerror}") from exc


class Ports:
    """Reserved ports of one run, or of one lane of tests; a context manager that gives them back.

    With `base` they are consecutive from there, without it random free ones.
    """

    def __init__(self, *, base: int = 0) -> None:
        if base and not 1 <= base <= HIGHEST:
            raise UsageError(f"port base {base} is no port; name one between 1 and {HIGHEST}, or 0 for any free ports")
        self._next = base
        self._held: dict[int, socket.socket] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def take(self, count: int = 1) -> tuple[int, ...]:
        """`count` ports that nobody listens on and no other lane holds.

        Raises PortTaken where a port that the base fixes is in use, StackError where no free one was found.
        """
        return tuple(self._fixed() if self._next else self._free() for _ in range(count))

    def close(self) -> None:
        """Give every port back."""
        for held in self._held.values():
            held.close()
        self._held.clear()

    def _fixed(self) -> int:
        port = self._next
        if port > HIGHEST:
            raise UsageError(f"the port base leaves too few ports below {HIGHEST}; choose a lower one")
        if not self._hold(port):
            raise PortTaken(
                f"port {port} on {LOOPBACK} is in use; free it, or choose another --port-base (0: any free)"
            )
        self._next += 1
        return port

    def _free(self) -> int:
        span = port_span(RANGE_FILE.read_text())
        for _ in range(TRIES):
            # Not from the run's seed: ports are no part of a scenario, and equal seeds run side by side.
            port = random.choice(span)
            if self._hold(port):
                return port
        raise StackError(f"no free port found on {LOOPBACK} between {span[0]} and {span[-1]} in {TRIES} tries")

    def _hold(self, port: int) -> bool:
        if port in self._held:
            return False
        name = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            name.bind(f"\0payment-chaos-harness-port-{port}")
        except OSError:
            name.close()
            return False
        if not is_free(port):
            name.close()
            return False
        self._held[port] = name
        return True


def port_span(ip_local_port_range: str) -> Sequence[int]:
    """Ports to choose from, given the text of `ip_local_port_range` (two numbers).

    Below the range where there is room, else above it, else all: a machine whose range is everything leaves no choice.
    """
    low, high = (int(part) for part in ip_local_port_range.split())
    for span in (range(LOWEST, low), range(high + 1, HIGHEST + 1)):
        if len(span) >= ENOUGH:
            return span
    return range(LOWEST, HIGHEST + 1)


def is_free(port: int) -> bool:
    """Can a server listen on this port of the loopback now; lingering connections of an earlier one do not count."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


@contextmanager
def reserved(count: int, *, base: int = 0) -> Iterator[tuple[int, ...]]:
    """`count` ports for the duration of a `with` block."""
    with Ports(base=base) as ports:
        yield ports.take(count)
