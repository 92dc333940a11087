"""Are rows of a history handed over whole, in order, and what is no row told?"""

from pathlib import Path

import msgspec

from harness.drain import acknowledged_refunds
from harness.evidence.known import known_in
from harness.recorder.reader import rows_of
from harness.recorder.rows import Done, Footer, Header, Inv, Row

HEAD = Header(1, 0, "monotonic")
FOOT = Footer(1, 1, cut_short=False)


def inv(number: int, journey: int, op: str, **fields: object) -> Inv:
    return Inv(id=number, journey=journey, intent=journey, op=op, phase="steady", scheduled_ns=0, sent_ns=0, **fields)  # type: ignore[arg-type]


def write(path: Path, *rows: Row, tail: bytes = b"") -> None:
    path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows) + tail)


def test_rows_come_file_by_file_without_a_torn_end(tmp_path: Path) -> None:
    done = Done(id=1, outcome="ok", done_ns=5)
    write(tmp_path / "1.jsonl", HEAD, done, tail=b'{"k":"done","id":2,"outcome":"ok","done_ns":6}')
    write(tmp_path / "0.jsonl", HEAD, inv(1, 1, "read"), FOOT)
    assert list(rows_of(tmp_path)) == [HEAD, inv(1, 1, "read"), FOOT, HEAD, done]


def test_a_line_that_is_none_is_told_and_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "0.jsonl", HEAD, tail=b"{]\n" + msgspec.json.encode(FOOT) + b"\n")
    damage: list[int] = []
    assert list(rows_of(tmp_path, lambda: damage.append(1))) == [HEAD, FOOT]
    assert damage == [1]


def test_an_order_that_a_stranger_names_first_is_not_the_strangers(tmp_path: Path) -> None:
    """Nor is what the stranger was promised back."""
    write(
        tmp_path / "0.jsonl",
        inv(1, 1, "journey", user="stranger"),
        inv(2, 2, "journey", user="owner"),
        inv(3, 1, "trespass", tried="refund", order_no=1, order="A", amount_minor=1, key_no=7),
        Done(id=3, outcome="ok", done_ns=5, order_no=1, order="A"),
        inv(4, 2, "read", order_no=1, order="A"),
    )
    assert known_in(tmp_path).orders == {"A": "owner"}
    assert acknowledged_refunds(tmp_path) == {}
