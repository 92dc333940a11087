"""Is everything asked in the right order, and does a source that fails cost only itself?"""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest

from harness.documents import Anchor
from harness.evidence.asking import Patience
from harness.evidence.clocks import ClockSample
from harness.evidence.collect import (
    Collection,
    collect,
    digest_of_effects,
    digest_of_states,
    sample_clocks,
    watermark,
)
from harness.evidence.ledgers import ROWS_A_PAGE
from harness.operation import Op, State
from harness.recorder.rows import Done, Footer, Header, Inv, Row
from harness.targets.drive import HttpxSender
from harness.targets.reference import Reference
from harness.targets.source import Source, SourceClock, SourceKind
from tests.evidence.servers import Answer, Api, Provider, as_lines, order_row, refund_row, serving

PATIENCE = Patience(request_s=2, wait=lambda _: None)
ANCHOR = Anchor(monotonic_ns=0, utc_ms=0.0, error_ms=0.0)
TARGET = Reference({"token_secret": "s", "operator_token": "op"})


@dataclass(kw_only=True)
class Scene:
    """Servers, their sources, and a history of three journeys.

    u1 made o-1 and saw it; u2's create had no answer, and made o-2; u3 was refused.
    """

    api: Api
    providers: dict[str, Provider]
    sources: tuple[Source, ...]
    base_url: str
    folder: Path

    def collect(self, **changes: float) -> Collection:
        return collect(
            target=TARGET,
            base_url=self.base_url,
            sources=self.sources,
            history=self.folder / "history",
            into=self.folder / "evidence",
            anchor=ANCHOR,
            limit_s=changes.get("limit_s", 20),
            patience=PATIENCE,
        )

    def rows(self, name: str) -> list[dict[str, object]]:
        lines = (self.folder / "evidence" / f"{name}.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def files(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "evidence").iterdir())


def ledger_rows(count: int) -> list[dict[str, object]]:
    return [{"seq": seq, "kind": "captured", "amount_minor": 1200, "order": "o-1"} for seq in range(1, count + 1)]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    api = Api(
        orders={"o-1": order_row("o-1", "u1"), "o-2": order_row("o-2", "u2", "open", paid=0)},
        books={"refunds": [refund_row("r-1", "o-1", "pending"), refund_row("r-2", "o-1", "done")]},
    )
    providers = {"alipay": Provider(rows=ledger_rows(3)), "wechat": Provider(rows=ledger_rows(2))}
    with ExitStack() as stack:
        base_url = stack.enter_context(serving(api))
        sources = [Source(name="target", kind=SourceKind.BOOKS, url=base_url)]
        for name, provider in providers.items():
            url = stack.enter_context(serving(provider))
            sources.append(
                Source(
                    name=name,
                    kind=SourceKind.LEDGER,
                    url=f"{url}/control/ledger",
                    headers={"X-Control-Key": "control"},
                    control_url=f"{url}/control",
                    clock=SourceClock.MONOTONIC,
                )
            )
        write_history(tmp_path / "history")
        yield Scene(api=api, providers=providers, sources=tuple(sources), base_url=base_url, folder=tmp_path)


def write_history(folder: Path, *, torn: bool = True) -> None:
    rows: list[Row] = [Header(schema_version=1, worker=0, clock="monotonic")]
    for journey in (1, 2, 3):
        rows += [inv(journey * 10, journey, Op.JOURNEY, user=f"u{journey}"), inv(journey * 10 + 1, journey, Op.CREATE)]
    rows += [
        Done(id=11, outcome="ok", done_ns=2, order_no=1, order="o-1"),
        Done(id=21, outcome="info", done_ns=2),
        Done(id=31, outcome="fail", done_ns=2, code="sold_out"),
    ]
    rows += [Footer(invocations=6, completions=3, cut_short=False)]
    folder.mkdir()
    text = b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
    (folder / "0.jsonl").write_bytes(text + (b'{"k":"done","id":10,"or' if torn else b""))


def inv(number: int, journey: int, op: Op, user: str | None = None) -> Inv:
    return Inv(id=number, journey=journey, intent=journey, op=op, phase="steady", scheduled_ns=1, sent_ns=1, user=user)


def test_everything_is_written_and_counted(scene: Scene) -> None:
    told = scene.collect()
    assert told.books_read_ns is not None
    assert replace(told, books_read_ns=None) == Collection(
        ledger_first_seq={"alipay": 3, "wechat": 2},
        ledger_last_seq={"alipay": 3, "wechat": 2},
        books_read_ns=None,
        problems=(),
    )
    assert scene.files() == [
        "books.orders.jsonl",
        "books.payments.jsonl",
        "books.refunds.jsonl",
        "books.transitions.jsonl",
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


def test_a_refusal_is_not_asked_again(scene: Scene) -> None:
    scene.sources = tuple(replace(source, headers={}) for source in scene.sources)
    told = watermark(scene.sources, limit_s=5, patience=PATIENCE)
    assert told.problems[0] == "ledger alipay has no watermark: GET /control/ledger was answered 401"
    assert scene.providers["alipay"].asked == ["/control/ledger"]


def test_a_book_that_cannot_be_read_costs_its_own_file(scene: Scene) -> None:
    scene.api.broken = {"/v1/ledger/payments"}
    told = scene.collect()
    assert told.problems == ("book payments of target could not be read: the page after the start was answered 500",)
    assert "books.payments.jsonl" not in scene.files()
    assert told.books_read_ns is not None


def test_books_of_which_none_can_be_read_were_not_read(scene: Scene) -> None:
    scene.api.broken = {f"/v1/ledger/{book}" for book in ("orders", "payments", "refunds", "transitions")}
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
    assert told == Collection(ledger_first_seq={}, ledger_last_seq={}, books_read_ns=None, problems=())
    assert scene.files() == ["clocks.jsonl", "reads.jsonl"]
    assert [row["order"] for row in scene.rows("reads")] == ["o-1"]


def test_the_watermark_is_the_last_seq_of_each_ledger(scene: Scene) -> None:
    assert watermark(scene.sources, limit_s=5, patience=PATIENCE).last_seq == {"alipay": 3, "wechat": 2}


def test_the_digest_of_effects_moves_with_effects_and_counts_what_is_planned(scene: Scene) -> None:
    first = digest_of_effects(scene.sources, limit_s=5, patience=PATIENCE)
    assert digest_of_effects(scene.sources, limit_s=5, patience=PATIENCE) == first
    scene.providers["wechat"].digest = "d2"
    scene.providers["wechat"].planned = 4
    second = digest_of_effects(scene.sources, limit_s=5, patience=PATIENCE)
    assert (first.planned, first.effects, second.planned) == (0, 5, 4)
    assert first.digest != second.digest


def test_effects_that_cannot_be_asked_for_have_no_digest(scene: Scene) -> None:
    blind = replace(scene.sources[1], control_url=None)
    told = digest_of_effects((blind, scene.sources[2]), limit_s=5, patience=PATIENCE)
    assert (told.digest, told.problems) == (None, ("effects of alipay are not known: it has no control API",))


def test_the_digest_of_states_moves_with_states_and_names_what_is_not_at_rest(scene: Scene) -> None:
    with HttpxSender(scene.base_url, 2) as send:
        first = digest_of_states(TARGET, send, limit_s=5, patience=PATIENCE)
        again = digest_of_states(TARGET, send, limit_s=5, patience=PATIENCE)
        scene.api.orders["o-2"] = order_row("o-2", "u2", "closed", paid=0)
        scene.api.books["refunds"] = []
        second = digest_of_states(TARGET, send, limit_s=5, patience=PATIENCE)
    assert first == again
    assert [(order.order, order.state, order.pay_by_utc_ms) for order in first.unfinished] == [
        ("o-2", State.OPEN, 9_000)
    ]
    assert {name: order.state for name, order in first.orders.items()} == {"o-1": State.PAID, "o-2": State.OPEN}
    assert [refund.refund for refund in first.pending_refunds] == ["r-1"]
    assert (second.unfinished, second.pending_refunds) == ((), ())
    assert first.digest != second.digest


def test_states_that_cannot_be_read_have_no_digest(scene: Scene) -> None:
    scene.api.broken = {"/v1/ledger/refunds"}
    with HttpxSender(scene.base_url, 2) as send:
        told = digest_of_states(TARGET, send, limit_s=5, patience=PATIENCE)
    assert (told.digest, told.problems) == (
        None,
        ("book refunds could not be read: the page after the start was answered 500",),
    )


def test_clocks_are_related_to_ours_by_the_sample_with_the_least_round_trip(scene: Scene) -> None:
    # Ours is read for the limit, then for each sample when asking, against the limit, and when answered.
    readings = iter([0, 0, 0, 1_000, *[0, 0, 200], *[0, 0, 600] * 3])
    ticking = replace(PATIENCE, now_ns=lambda: next(readings))
    told = sample_clocks(TARGET, scene.sources[1:2], ANCHOR, limit_s=5, patience=ticking)
    assert told.samples == (ClockSample(source="alipay", at_ns=100, offset_ns=4_900, error_ns=100),)


def test_the_books_clock_is_the_targets_health_against_the_anchor(scene: Scene) -> None:
    still = replace(PATIENCE, now_ns=lambda: 7_000_000)
    anchor = Anchor(monotonic_ns=2_000_000, utc_ms=900.0, error_ms=0.25)
    told = sample_clocks(TARGET, scene.sources[:1], anchor, limit_s=5, patience=still)
    # At 5 ms after the anchor ours says 905 ms; theirs 1,000 ms, cut to whole ms.
    assert told.samples == (ClockSample(source="target", at_ns=7_000_000, offset_ns=95_500_000, error_ns=750_000),)


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


@pytest.mark.parametrize(
    ("book", "problem"),
    [
        ("circle", "the page after 1 names itself as the next"),
        ("strange", "has a row that is not understood"),
    ],
)
def test_a_book_that_cannot_be_followed_is_a_problem(book: str, problem: str) -> None:
    class Odd(Api):
        def book(self, name: str, after: int) -> Answer:
            if name != "orders":
                return super().book(name, after)
            return as_lines([{"id": 1}] if book == "strange" else [], x_next_cursor="1")

    with serving(Odd(orders={})) as url, HttpxSender(url, 2) as send:
        told = digest_of_states(TARGET, send, limit_s=5, patience=PATIENCE)
    assert (told.digest, [problem in sentence for sentence in told.problems]) == (None, [True])


def test_clocks_that_cannot_be_read_are_problems_and_those_that_are_not_there_are_none(scene: Scene) -> None:
    scene.providers["alipay"].clock = {"monotonic_ns": "noon"}
    scene.api.broken = {"/healthz"}
    sources = (*scene.sources[:2], replace(scene.sources[2], control_url=None))
    told = sample_clocks(TARGET, sources, ANCHOR, limit_s=5, patience=PATIENCE)
    assert told.samples == ()
    assert [sentence.partition(" could")[0] for sentence in told.problems] == ["clock of alipay", "clock of target"]
    assert told.problems[1] == "clock of target could not be read: health ended answered, 500"


def test_a_ledger_with_a_wall_clock_is_sampled_against_the_anchor(scene: Scene) -> None:
    wall = replace(scene.sources[1], clock=SourceClock.UTC)
    still = replace(PATIENCE, now_ns=lambda: 0)
    told = sample_clocks(TARGET, (wall,), ANCHOR, limit_s=5, patience=still)
    assert told.samples == (ClockSample(source="alipay", at_ns=0, offset_ns=1_000_500_000, error_ns=500_000),)


def test_what_is_planned_must_be_understood(scene: Scene) -> None:
    scene.providers["wechat"].planned = None  # type: ignore[assignment]
    told = digest_of_effects(scene.sources, limit_s=5, patience=PATIENCE)
    assert (told.digest, len(told.problems)) == (None, 1)
    assert told.problems[0].startswith("effects of wechat are not known: what is planned is not understood")


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
