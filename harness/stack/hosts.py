"""Which hosts may be loaded and broken?

Loopback; any other only where both the target file's `allow_hosts` and
`--allow-host` name it, so that neither a file that was passed on nor a slip on
the command line is enough. Asked before a byte is sent, and again at every start,
because Locust's UI lets anyone type a host. A network of containers that the run
itself made is as good as loopback. A name counts as loopback when every
address that it resolves to is one. Real payment providers may never be loaded
(`harness.targets.real_providers`).
"""

import ipaddress
import socket
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from harness.errors import HostNotAllowed
from harness.targets.real_providers import refuse_real_providers

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def check_hosts(
    addresses: Iterable[str],
    *,
    file_allows: Collection[str],
    allowed: Collection[str],
    networks: Collection[Network] = (),
) -> None:
    """Raise HostNotAllowed for the first of these (URLs or host:port) that may not be spoken to.

    `networks` are those that the run itself made.
    """
    addresses = tuple(addresses)
    refuse_real_providers((f"address {address}", host_of(address)) for address in addresses)
    in_both = {name.lower() for name in file_allows} & {name.lower() for name in allowed}
    for address in addresses:
        host = host_of(address)
        if host in in_both or is_loopback(host) or lies_in(host, networks):
            continue
        missing = [
            place
            for place, names in (("allow_hosts of the target file", file_allows), ("--allow-host", allowed))
            if host not in {name.lower() for name in names}
        ]
        raise HostNotAllowed(
            f"host {host or address!r} is not loopback, so both the target file and the command line must allow it; "
            f"it is missing in {' and '.join(missing)}"
        )


def host_of(address: str) -> str:
    """The host of a URL or of host:port, in small letters; empty where there is none."""
    try:
        return (urlsplit(address if "//" in address else f"//{address}").hostname or "").lower()
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether every address of this host is loopback; False for a name that cannot be resolved."""
    addresses = resolved(host)
    return bool(addresses) and all(loopback(address) for address in addresses)


def lies_in(host: str, networks: Collection[Network]) -> bool:
    """Whether every address of this host lies in one of these networks; False for a name that cannot be resolved."""
    addresses = resolved(host) if networks else []
    return bool(addresses) and all(any(address in network for network in networks) for address in addresses)


def resolved(host: str) -> list[Address]:
    """Every address that a host has; none for a name that cannot be resolved."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM) if host else []
    except (OSError, UnicodeError):
        return []
    # An address with a zone ("fe80::1%eth0") is never loopback; the zone is cut off so that it can be read.
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


def loopback(address: Address) -> bool:
    """127.0.0.0/8 or ::1, also written as an IPv4 address within IPv6."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
