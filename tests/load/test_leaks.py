"""Is what must not leave the target found in every disguise, and nothing else taken for it?"""

import base64
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.leaks import Scanner
from harness.load.personal import Canaries, luhn_digit

RUN = "20261024-180000-ab12"
CANARIES = Canaries(seed=7, run_id=RUN)
SCANNER = Scanner(seed=7, run_id=RUN)
ME = CANARIES.of(12)
TOKEN = f"u-{RUN}-12.{'0f' * 32}"
ORDER = "ord_0123456789abcdef01234567"
SECRETS = {"phone": ME.phone, "card": ME.card, "openid": ME.openid, "token": TOKEN}
INSIDES = {
    "stack": 'Traceback (most recent call last):\n  File "x.py", line 3, in pay',
    "sql": "SELECT * FROM orders WHERE id = $1",
    "path": "could not open /etc/payment/api.conf",
}


def kinds(text: str, headers: dict[str, str] | None = None) -> tuple[str, ...]:
    return SCANNER.kinds(headers or {}, text.encode())


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(char):04x}" for char in text)


def in_base64(before: int) -> Callable[[str], str]:
    return lambda text: base64.b64encode(b" " * before + text.encode() + b" and more").decode()


DISGUISES: dict[str, Callable[[str], str]] = {
    "plain": lambda text: f'{{"error": {{"message": "no {text} here"}}}}',
    "glued": lambda text: f"tel{text}x9",
    "percent": lambda text: "message=" + "".join(f"%{ord(char):02X}" for char in text),
    "percent twice": lambda text: "".join(f"%25{ord(char):02x}" for char in text),
    "json": lambda text: f'{{"m":"{escaped(text)}"}}',
    "json in json": lambda text: json.dumps({"m": json.dumps({"m": text})}),
    "entities": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "base64 0": in_base64(0),
    "base64 1": in_base64(1),
    "base64 2": in_base64(2),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(f"a?>{text}~~".encode()).decode().rstrip("="),
    "base64 in a word": lambda text: "xyz" + in_base64(2)(text),
    "base64 behind percent": lambda text: in_base64(1)(text).replace("=", "%3D") + "%2C",
}


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("kind", SECRETS)
def test_personal_data_is_found_in_every_disguise(kind: str, disguise: str) -> None:
    text = DISGUISES[disguise](SECRETS[kind])
    assert kinds(text) == kinds("", {"x-debug": text}) == SCANNER.personal(text.encode()) == (kind,)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("phone", f"+86 {ME.phone[:3]} {ME.phone[3:7]} {ME.phone[7:]}"),
        ("phone", f"({ME.phone[:3]}) {ME.phone[3:7]}-{ME.phone[7:]}"),
        ("card", " ".join(ME.card[at : at + 4] for at in range(0, 16, 4))),
        ("card", "-".join(ME.card[at : at + 4] for at in range(0, 16, 4))),
        ("token", "Authorization: Bearer 0123456789abcdefXYZ"),
        ("token", "authorization=Bearer%200123456789abcdefXYZ"),
        ("phone", base64.b64encode(json.dumps({"phone": ME.phone}).encode()).decode()),
    ],
)
def test_spaced_and_nested_forms_are_found(kind: str, text: str) -> None:
    assert kinds(text) == (kind,)


@pytest.mark.parametrize(
    "text",
    [
        "199****5620",
        f"{ME.phone[:3]}****{ME.phone[-4:]}",
        f"{ME.card[:6]}******{ME.card[-4:]}",
        f"card ending in {ME.card[-4:]}",
        "19901234567 is nobody's here, nor is 9999521234567890",
        '{"id":"ord_a1990bcd","since":1990123,"amount_minor":9999}',
        "Date: Fri, 24 Nov 2026 19:36:40 GMT",
        "A valid bearer token is required.",
        'WWW-Authenticate: Bearer realm="payments", error="invalid_token"',
        "Select a payment method from the list, then update your app. Delete it from your phone.",
        '{"href":"/v1/orders/ord_1/payments","docs":"https://example.org/usr/guide"}',
        "The line 3 bus is late at (Central Station)",
        f"user u-{RUN}-12 is known",
    ],
)
def test_what_looks_alike_is_no_leak(text: str) -> None:
    assert kinds(text) == kinds(json.dumps({"m": text})) == ()


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("stack", INSIDES["stack"]),
        ("stack", "java.lang.IllegalState\n\tat com.pay.Api.pay(Api.java:12)"),
        ("stack", "Error\n    at pay (server.js:10:5)"),
        ("stack", "goroutine 17 [running]:"),
        ("stack", "TypeError at orders.py:112"),
        ("sql", INSIDES["sql"]),
        ("sql", "insert into orders (id) values (1)"),
        ("sql", 'duplicate key value violates unique constraint "orders_pkey"'),
        ("sql", "select id from orders where user_id = 3"),
        ("sql", "SQLSTATE[23505]"),
        ("path", INSIDES["path"]),
        ("path", "C:\\Users\\app\\pay"),
        ("path", "in site-packages"),
        ("path", "/srv/payments/releases"),
    ],
)
def test_the_targets_insides_are_found_also_escaped(kind: str, text: str) -> None:
    assert kind in kinds(text)
    assert kind in kinds(json.dumps({"error": {"message": text}}))
    assert kind in kinds("".join(f"%{byte:02x}" for byte in text.encode()))


@pytest.mark.parametrize("before", range(3))
@pytest.mark.parametrize("kind", ["stack", "sql"])
def test_the_targets_insides_are_found_in_base64(kind: str, before: int) -> None:
    assert kind in kinds(in_base64(before)(INSIDES[kind]))


def test_a_log_may_hold_stacks_and_paths_but_no_personal_data() -> None:
    assert SCANNER.personal(f"{INSIDES['stack']} /srv/x.py phone={ME.phone}".encode()) == ("phone",)


def test_an_order_of_another_is_found_and_ones_own_and_the_one_asked_for_are_not() -> None:
    scanner = Scanner(seed=7, run_id=RUN)
    scanner.owns(1, ORDER)
    scanner.owns(2, ORDER)  # whoever is told later does not own it
    body = json.dumps({"orders": [{"id": ORDER}]}).encode()
    assert scanner.kinds({}, body, journey=1) == ()
    assert scanner.kinds({}, body, journey=2) == ("other_order",)
    assert scanner.kinds({"location": f"/v1/orders/{ORDER}"}, b"", journey=2) == ("other_order",)
    assert scanner.kinds({}, body, journey=2, asked=ORDER) == ()
    assert scanner.kinds({}, body) == ()


def test_short_order_ids_are_not_looked_for() -> None:
    scanner = Scanner(seed=7, run_id=RUN)
    scanner.owns(1, "12345")
    assert scanner.kinds({}, b'{"amount_minor":12345}', journey=2) == ()


def test_canaries_of_another_run_are_none_of_ours() -> None:
    other = Canaries(seed=7, run_id="another").of(12)
    assert kinds(f"{other.phone} {other.card}") == ()


@given(st.integers(min_value=0, max_value=10_000_000))
def test_every_customer_has_data_that_are_known_again(number: int) -> None:
    personal = CANARIES.of(number)
    assert CANARIES.is_phone(personal.phone)
    assert CANARIES.is_card(personal.card)
    assert personal.card[-1] == luhn_digit(personal.card[:-1])
    assert (len(personal.phone), len(personal.card), len(personal.openid)) == (11, 16, 28)
    assert kinds(f"{personal.phone} {personal.card} {personal.openid}") == ("card", "openid", "phone")


def test_customers_differ_and_known_card_numbers_have_their_luhn_digit() -> None:
    assert len({CANARIES.of(number) for number in range(2_000)}) == 2_000
    assert [luhn_digit(account) for account in ("411111111111111", "7992739871")] == ["1", "3"]


@given(st.binary(max_size=300))
def test_any_bytes_can_be_looked_at(body: bytes) -> None:
    assert isinstance(SCANNER.kinds({"x": "\u1234"}, body, journey=1), tuple)
