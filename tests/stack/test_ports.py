"""Are reserved ports free, below the range of outgoing connections, and nobody else's?"""

import socket
from collections.abc import Sequence

import pytest

from harness.errors import PortTaken, UsageError
from harness.stack.ports import RANGE_FILE, Ports, is_free, port_span, reserved


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("32768\t60999\n", range(10_000, 32_768)),
        ("10500 60999", range(61_000, 65_536)),
        ("1024 65535", range(10_000, 65_536)),
        ("1024 30000", range(30_001, 65_536)),
    ],
)
def test_ports_lie_outside_the_range_of_outgoing_connections_where_there_is_room(
    text: str, span: Sequence[int]
) -> None:
    assert port_span(text) == span


def test_free_ports_are_distinct_free_and_within_the_span() -> None:
    with Ports() as ports:
        taken = ports.take(20)
        assert len(set(taken)) == 20
        assert all(is_free(port) for port in taken)
        assert set(taken) <= set(port_span(RANGE_FILE.read_text()))


def test_a_base_gives_consecutive_ports_which_no_other_lane_gets_until_they_are_given_back() -> None:
    with reserved(1) as (base,), Ports(base=base + 1) as one:
        first = one.take(3)
        assert first == (base + 1, base + 2, base + 3)
        with Ports(base=base + 3) as other, pytest.raises(PortTaken, match=f"port {base + 3} on 127.0.0.1 is in use"):
            other.take()
        one.close()
        with Ports(base=base + 1) as other:
            assert other.take(3) == first


def test_a_port_that_somebody_listens_on_is_taken() -> None:
    with reserved(1) as (port,):
        pass
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)
        with Ports(base=port) as ports, pytest.raises(PortTaken, match="choose another --port-base"):
            ports.take()


def test_a_base_without_room_is_refused() -> None:
    with Ports(base=65_535) as ports, pytest.raises(UsageError, match="too few ports"):
        ports.take(2)
    with pytest.raises(UsageError, match="port base 70000 is no port"):
        Ports(base=70_000)
