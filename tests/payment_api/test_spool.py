"""What was spooled is handed over once the taker takes it, whatever happened in between."""

import asyncio
from pathlib import Path

import pytest

from compose.payment_api.spool import Spool


class Taker:
    def __init__(self, *, refuses: bytes = b"") -> None:
        self.lines: list[bytes] = []
        self.refuses = refuses

    async def take(self, line: bytes) -> None:
        if line == self.refuses:
            raise OSError
        self.lines.append(line)


def test_lines_are_handed_over_in_their_order_and_then_gone(tmp_path: Path) -> None:
    spool, taker = Spool(tmp_path / "spool"), Taker()
    assert spool.is_empty
    spool.append(b"a")
    spool.append(b"b")
    assert not spool.is_empty
    asyncio.run(spool.hand_over(taker.take))
    asyncio.run(spool.hand_over(taker.take))
    assert (taker.lines, spool.is_empty, list(tmp_path.iterdir())) == ([b"a", b"b"], True, [])


def test_where_the_taker_fails_all_of_it_comes_again_and_what_came_since_too(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.append(b"a")
    spool.append(b"b")
    with pytest.raises(OSError):  # noqa: PT011  # the taker's own
        asyncio.run(spool.hand_over(Taker(refuses=b"b").take))
    spool.append(b"c")
    after_a_kill, taker = Spool(tmp_path / "spool"), Taker()
    asyncio.run(after_a_kill.hand_over(taker.take))
    assert taker.lines == [b"a", b"b", b"c"]
    assert after_a_kill.is_empty


def test_a_line_that_a_kill_tore_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "spool").write_bytes(b"whole\nto")
    taker = Taker()
    asyncio.run(Spool(tmp_path / "spool").hand_over(taker.take))
    assert taker.lines == [b"whole"]
