"""Is everything asked in the right order, and does a source that fails cost only itself?"""

import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from harness.evidence.clocks import ClockSample
from harness.evidence.collect import (
    Collection,
    collect,
)
from harness.evidence.ledgers import ROWS_A_PAGE
from harness.operation import Op
from harness.recorder.rows import Done
from harness.targets.books import Book
from harness.targets.reference import CAPABILITIES, Reference
from harness.targets.source import SourceKind
from tests.evidence.scene import ANCHOR, PATIENCE, TARGET, Scene, ledger_rows


def test_everything_is_written_and_counted(scene: Scene) -> None:
    told = scene.collect()
    assert told.books_read_ns is not None
    assert replace(told, books_read_ns=None) == Collection(
        ledger_first_seq={"alipay": 3, "wechat": 2},
        ledger_last_seq={"alipay": 3, "wechat": 2},
        books_read_ns=None,
        problems=(),
        rows={"books.orders": 2, "books.refunds": 2, "clocks": 3, "lists": 3, "reads": 2}
        | {"ledger.alipay": 3, "ledger.wechat": 2}
        | {f"books.{book}": 0 for book in CAPABILITIES.books - {Book.ORDERS, Book.REFUNDS}},
    )
    assert scene.files() == [
        *sorted(f"books.{book}.jsonl" for book in CAPABILITIES.books),
        "clocks.jsonl",
        "ledger.alipay.jsonl",
        "ledger.wechat.jsonl",
        "lists.jsonl",
        "reads.jsonl",
    ]
    assert scene.rows("ledger.alipay") == ledger_rows(3)
    assert [(row["order"], row["state"], row["pay_by_utc_ms"]) for row in scene.rows("books.orders")] == [
        ("o-1", "paid", 9_000),
        ("o-2", "open", 9_000),
    ]
    assert [row["refund"] for row in scene.rows("books.refunds")] == ["r-1", "r-2"]


def test_a_create_without_an_answer_is_resolved_by_its_users_list_and_then_read(scene: Scene) -> None:
    scene.collect()
    lists = [
        (row["journey"], row["user"], row["outcome"], row["complete"], row["orders"]) for row in scene.rows("lists")
    ]
    assert lists == [
        (1, "u1", "ok", True, ["o-1"]),
        (2, "u2", "ok", True, ["o-2"]),
        (3, "u3", "ok", True, []),
    ]
    reads = [(row["order"], row["user"], row["outcome"], row["state"], row["tries"]) for row in scene.rows("reads")]
    assert reads == [("o-1", "u1", "ok", "paid", 1), ("o-2", "u2", "ok", "open", 1)]
    assert all(int(str(row["sent_ns"])) <= int(str(row["done_ns"])) for row in scene.rows("reads"))


def test_an_order_that_the_api_hides_is_read_as_definitely_not_there(scene: Scene) -> None:
    scene.api.hidden = {"o-1"}
    scene.collect()
    assert [(row["order"], row["outcome"], row["http"], row["code"], row["tries"]) for row in scene.rows("reads")] == [
        ("o-1", "fail", 404, "order_not_found", 1),
        ("o-2", "ok", 200, None, 1),
    ]


def test_a_read_is_tried_three_times_and_its_last_answer_kept(scene: Scene) -> None:
    scene.api.hiccups = {"/v1/orders/o-1": 2}
    scene.api.broken = {"/v1/orders/o-2"}
    told = scene.collect()
    assert [(row["order"], row["outcome"], row["http"], row["tries"]) for row in scene.rows("reads")] == [
        ("o-1", "ok", 200, 3),
        ("o-2", "info", 500, 3),
    ]
    assert told.problems == ()


def test_the_ledgers_are_read_before_and_after_the_books(scene: Scene) -> None:
    asked: list[str] = []
    scene.api.asked = asked
    for provider in scene.providers.values():
        provider.asked = asked
    scene.collect()
    order = [path for path in asked if path.startswith(("/control/ledger", "/v1/ledger"))]
    assert order[:2] == ["/control/ledger"] * 2
    assert order[-2:] == ["/control/ledger"] * 2
    assert {path.partition("/ledger")[0] for path in order[2:-2]} == {"/v1"}


def test_releases_are_copied_and_counted_as_ledgers_are(scene: Scene) -> None:
    scene.sources = (*scene.sources[:2], replace(scene.sources[2], name="dispatch", kind=SourceKind.FULFILMENT))
    told = scene.collect()
    assert (told.ledger_first_seq["dispatch"], told.ledger_last_seq["dispatch"]) == (2, 2)
    assert scene.rows("releases.dispatch") == ledger_rows(2)
    assert "ledger.dispatch.jsonl" not in scene.files()


def test_a_long_ledger_is_copied_page_by_page(scene: Scene) -> None:
    scene.providers["wechat"].rows = ledger_rows(2 * ROWS_A_PAGE + 1)
    told = scene.collect()
    assert told.ledger_last_seq["wechat"] == 2 * ROWS_A_PAGE + 1
    assert [row["seq"] for row in scene.rows("ledger.wechat")] == list(range(1, 2 * ROWS_A_PAGE + 2))


def test_an_empty_ledger_is_a_file_without_rows(scene: Scene) -> None:
    scene.providers["wechat"].rows = []
    told = scene.collect()
    assert (told.ledger_last_seq["wechat"], scene.rows("ledger.wechat"), told.problems) == (0, [], ())


def test_a_provider_that_is_gone_costs_its_own_file_and_no_other(scene: Scene) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}/control"
    gone = replace(scene.sources[2], url=f"{nobody}/ledger", control_url=nobody)
    scene.sources = (*scene.sources[:2], gone)
    told = scene.collect()
    assert told.problems == (
        "clock of wechat could not be read: GET /control/clock ended refused",
        "ledger wechat has no watermark: GET /control/ledger ended refused",
        "ledger wechat could not be read: GET /control/ledger ended refused",
    )
    assert told.ledger_last_seq == {"alipay": 3}
    assert "ledger.wechat.jsonl" not in scene.files()
    assert "ledger.alipay.jsonl" in scene.files()


@pytest.mark.parametrize(
    ("rows", "says_last", "problem"),
    [
        ([{"seq": 1}, {"seq": 1}], 2, "row 1 stands after row 1"),
        ([{"seq": 1}], 4, "it ends at row 1, and says that its last is 4"),
        ([{"seq": 1, "kind": "x"}, {"seq": 2.5}], 2, "a row after 0 is not understood"),
    ],
)
def test_a_ledger_that_contradicts_itself_is_not_copied(
    scene: Scene, rows: list[dict[str, object]], says_last: int, problem: str
) -> None:
    scene.providers["wechat"].says_last = says_last
    scene.providers["wechat"].rows = rows
    told = scene.collect()
    assert [sentence for sentence in told.problems if problem in sentence] == list(told.problems)
    assert len(told.problems) == 1
    assert not any(name.startswith("ledger.wechat") for name in scene.files())


def test_a_provider_that_stumbles_once_is_asked_again(scene: Scene) -> None:
    scene.providers["wechat"].failing = 2
    assert scene.collect().problems == ()


def test_a_book_that_cannot_be_read_costs_its_own_file(scene: Scene) -> None:
    scene.api.broken = {"/v1/ledger/payments"}
    told = scene.collect()
    assert told.problems == ("book payments of target could not be read: the page after the start was answered 500",)
    assert "books.payments.jsonl" not in scene.files()
    assert told.books_read_ns is not None


def test_books_of_which_none_can_be_read_were_not_read(scene: Scene) -> None:
    scene.api.broken = {f"/v1/ledger/{book}" for book in CAPABILITIES.books}
    assert scene.collect().books_read_ns is None


def test_a_limit_that_has_passed_is_named_and_what_was_not_asked_is_counted(scene: Scene) -> None:
    told = scene.collect(limit_s=0)
    assert "of 3 users for the list of their orders, 3 were not asked: the limit evidence (0 s) passed" in told.problems
    assert "ledger wechat could not be read: the limit evidence (0 s) passed" in told.problems
    assert (scene.rows("lists"), scene.rows("reads")) == ([], [])


def test_a_damaged_line_and_an_order_without_owner_are_said(scene: Scene) -> None:
    path = scene.folder / "history" / "1.jsonl"
    stray = Done(id=99, outcome="ok", done_ns=2, order_no=1, order="o-9")
    path.write_bytes(b"{damaged}\n" + msgspec.json.encode(stray) + b"\n")
    assert scene.collect().problems == (
        "1 lines of the history could not be read for the orders they name",
        "1 orders of the history belong to no journey with a user; nobody asked for them",
    )


def test_a_target_without_lists_is_not_asked_for_them(scene: Scene) -> None:
    class Listless(Reference):
        @property
        def capabilities(self):  # type: ignore[no-untyped-def]  # noqa: ANN202
            return replace(super().capabilities, operations=frozenset({Op.CREATE, Op.READ}), books=frozenset())

    told = collect(
        target=Listless({"token_secret": "s", "operator_token": "op"}),
        base_url=scene.base_url,
        sources=scene.sources[:1],
        history=scene.folder / "history",
        into=scene.folder / "evidence",
        anchor=ANCHOR,
        limit_s=5,
        patience=PATIENCE,
    )
    rows = {"clocks": 1, "reads": 1}
    assert told == Collection(ledger_first_seq={}, ledger_last_seq={}, books_read_ns=None, problems=(), rows=rows)
    assert scene.files() == ["clocks.jsonl", "reads.jsonl"]
    assert [row["order"] for row in scene.rows("reads")] == ["o-1"]


def test_earlier_samples_are_kept_before_todays(scene: Scene) -> None:
    earlier = ClockSample(source="wechat", at_ns=1, offset_ns=2, error_ns=3)
    collect(
        target=TARGET,
        base_url=scene.base_url,
        sources=scene.sources,
        history=scene.folder / "history",
        into=scene.folder / "evidence",
        anchor=ANCHOR,
        limit_s=10,
        earlier_clocks=(earlier,),
        patience=PATIENCE,
    )
    rows = scene.rows("clocks")
    assert rows[0] == {"source": "wechat", "at_ns": 1, "offset_ns": 2, "error_ns": 3}
    assert [row["source"] for row in rows[1:]] == ["alipay", "target", "wechat"]


def test_a_ledger_that_does_not_say_where_it_ends_is_not_copied(scene: Scene) -> None:
    scene.providers["wechat"].says_last = -1
    assert scene.collect().problems == (
        "ledger wechat has no watermark: X-Last-Seq is '-1', not a number",
        "ledger wechat could not be read: X-Last-Seq is '-1', not a number",
    )


def test_under_gevent_the_questions_are_asked_side_by_side(tmp_path: Path) -> None:
    script = Path(__file__).with_name("on_gevent.py")
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "24 reads, 8 at a time\n", "")
