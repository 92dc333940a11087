"""Is a host refused unless it is loopback, or allowed in both places?"""

from ipaddress import ip_network

import pytest

from harness.errors import HostNotAllowed
from harness.stack.hosts import check_hosts, host_of, is_loopback

FAR = "203.0.113.7"


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8080",
        "http://localhost:80/x",
        "http://[::1]:8080",
        "127.8.9.1:5432",
        "localhost:1",
        "http://LOCALHOST",
        "http://[::ffff:127.0.0.1]/",
        "postgresql://user:password@127.0.0.1:5432/postgres",
    ],
)
def test_loopback_is_always_allowed(address: str) -> None:
    check_hosts([address], file_allows=(), allowed=())


@pytest.mark.parametrize(
    "address",
    [
        f"http://{FAR}",
        f"http://127.0.0.1@{FAR}/",
        f"{FAR}:80",
        "http://0.0.0.0:80",
        "http://[2001:db8::1]/",
        "http://no-such-host.invalid/",
        "http://",
        "",
        "http://[::1",
    ],
)
def test_anything_else_is_refused(address: str) -> None:
    with pytest.raises(HostNotAllowed):
        check_hosts([address], file_allows=("pay.example",), allowed=("pay.example",))


@pytest.mark.parametrize(
    ("file_allows", "allowed", "missing"),
    [
        ((), (FAR,), "missing in allow_hosts of the target file"),
        ((FAR,), (), "missing in --allow-host"),
        ((), (), "missing in allow_hosts of the target file and --allow-host"),
        ((FAR,), ("pay.example",), "missing in --allow-host"),
    ],
)
def test_one_of_the_two_places_is_not_enough(
    file_allows: tuple[str, ...], allowed: tuple[str, ...], missing: str
) -> None:
    with pytest.raises(HostNotAllowed, match=missing):
        check_hosts([f"http://{FAR}"], file_allows=file_allows, allowed=allowed)


def test_a_host_named_in_both_places_is_allowed_whatever_its_case_and_no_other() -> None:
    check_hosts(["https://Pay.Example/v1"], file_allows=("pay.example",), allowed=("PAY.example",))
    with pytest.raises(HostNotAllowed, match=r"evil\.pay\.example"):
        check_hosts(["https://evil.pay.example"], file_allows=("pay.example",), allowed=("pay.example",))


def test_hosts_are_read_from_urls_and_from_host_and_port() -> None:
    assert [host_of(text) for text in ("http://A.b:1/c", "a.b:1", "[::1]:2", "x")] == ["a.b", "a.b", "::1", "x"]
    assert not is_loopback("")


def test_a_network_that_the_run_itself_made_is_as_good_as_loopback_and_no_other() -> None:
    networks = (ip_network("203.0.113.0/29"), ip_network("2001:db8::/64"))
    check_hosts([f"http://{FAR}:8081", "http://[2001:db8::7]/"], file_allows=(), allowed=(), networks=networks)
    for other in ("203.0.113.8", "[2001:db8:1::7]", "no-such-host.invalid"):
        with pytest.raises(HostNotAllowed):
            check_hosts([f"http://{other}"], file_allows=(), allowed=(), networks=networks)
