"""Do arrivals, journeys, client and history work together over real sockets?"""

import time
from collections import Counter
from pathlib import Path

import gevent.event
import msgspec

from harness.arrivals import Steady, schedule
from harness.load.client import Client, Deadlines
from harness.load.dispatch import Dispatch
from harness.load.journey import travel
from harness.load.traits import traits_of
from harness.operation import Ending, Method, Op, Outcome, Phase, State
from harness.profile import GATE
from harness.recorder.rows import Done, Footer, Header, Inv, Row
from harness.recorder.traces import Traces
from harness.recorder.writer import HistoryWriter
from harness.targets.books import Book
from harness.targets.outcomes import judge
from harness.targets.protocol import BookCall, Call, Capabilities, NewOrder, Observation, Request
from tests.load.raw_server import Peer, RawServer, answer


class Plain:
    """The smallest API that sells something: the path says what, the body of the answer is the order's id."""

    capabilities = Capabilities(
        operations=frozenset({Op.CREATE, Op.PAY, Op.READ, Op.LIST, Op.REFUND}),
        books=frozenset(),
        idempotent=frozenset(),
        pay_by=False,
        busy=None,
        raw_states={},
        legal_edges=frozenset(),
    )

    def create_order(self, user: str, order: NewOrder, key: str) -> Call:
        del order
        return self._ask(Op.CREATE, f"/create/{user}/{key}")

    def pay(self, user: str, order_id: str, method: Method, key: str, card: str | None = None) -> Call:
        del user, card
        return self._ask(Op.PAY, f"/pay/{order_id}/{method}/{key}", State.PAID)

    def read(self, user: str, order_id: str) -> Call:
        del user
        return self._ask(Op.READ, f"/read/{order_id}")

    def list_orders(self, user: str) -> Call:
        return self._ask(Op.LIST, f"/list/{user}")

    def refund(self, user: str, order_id: str, amount_minor: int, key: str) -> Call:
        del user
        return self._ask(Op.REFUND, f"/refund/{order_id}/{amount_minor}/{key}")

    def health(self) -> Call:
        raise NotImplementedError

    def status(self) -> Call:
        raise NotImplementedError

    def books(self, book: Book, cursor: str | None) -> BookCall:
        raise NotImplementedError

    def _ask(self, op: Op, path: str, state: State | None = None) -> Call:
        reply = yield Request(method="GET", path=path, name=op)
        judged = judge(op, reply)
        acknowledged = judged.outcome is Outcome.OK
        return Observation(
            outcome=judged.outcome,
            ending=reply.ending,
            http=reply.status,
            order_id=reply.body.decode() if acknowledged else None,
            state=state if acknowledged else None,
        )


class Paged(Plain):
    """Whoever lists their orders is given them on two pages; its client has an opinion on traces."""

    def list_orders(self, user: str) -> Call:
        yield Request(method="GET", path=f"/list/{user}/1", name="list", headers=(("Traceparent", "00-mine"),))
        told = yield from super().list_orders(user)
        return told


TRACES = Traces(run_id="r1", scenario="WholeWay")


def read_rows(history: Path) -> list[Row]:
    return [msgspec.json.decode(line, type=Row) for line in history.read_bytes().splitlines()]


def run(
    server: RawServer,
    history: Path,
    *,
    journeys: int,
    until: gevent.event.Event | None = None,
    target: Plain | None = None,
) -> Dispatch:
    client = Client(server.url, deadlines=Deadlines.within(GATE.client_deadline_ms))
    target = target or Plain()
    with HistoryWriter(history, worker=0, clock_ns=time.monotonic_ns) as writer:

        def journey(number: int, scheduled_ns: int) -> None:
            travel(
                traits_of(number, seed=1, run_id="r1"),
                target=target,
                client=client,
                recorder=writer,
                traces=TRACES,
                windows=GATE,
                phase=Phase.STEADY,
                scheduled_ns=scheduled_ns,
                only_create=False,
                on_request=lambda *_: None,
                on_ack_create=lambda: None,
            )

        dispatch = Dispatch(schedule(Steady(rate_per_s=journeys / 0.1, duration_s=0.1), 1), journey, cap=100)
        dispatch.start(time.monotonic_ns())
        if until is None:
            dispatch.wait_idle(10)
        else:
            until.wait()
            dispatch.stop()
    return dispatch


def test_every_write_is_on_disk_before_the_target_sees_it(tmp_path: Path) -> None:
    history = tmp_path / "0.jsonl"
    unrecorded: list[bytes] = []

    def script(peer: Peer) -> None:
        while request := peer.request():
            path = request.split(b" ")[1].decode()
            op, subject, *_ = path[1:].split("/")
            on_disk = [row for row in read_rows(history) if isinstance(row, Inv) and row.op == op]
            journey = int(subject.split("-")[-1])
            if op not in {"list", "read"} and journey not in {row.journey for row in on_disk}:
                unrecorded.append(request)
            peer.send(answer(subject.encode()))

    with RawServer(script) as server:
        dispatch = run(server, history, journeys=10)
    assert unrecorded == []
    tally = dispatch.tally()
    assert (tally.planned, tally.started, tally.missed) == (10, 10, 0)
    assert server.connections == 10

    header, *rows, footer = read_rows(history)
    begun = [row for row in rows if isinstance(row, Inv)]
    ended = {row.id: row for row in rows if isinstance(row, Done)}
    assert isinstance(header, Header)
    assert footer == Footer(len(begun), len(ended), cut_short=False)
    assert {row.id for row in begun} == set(ended)
    assert all(row.outcome == Outcome.OK for row in ended.values())
    counts = {op: sum(row.op == op for row in begun) for op in (Op.JOURNEY, Op.CREATE, Op.PAY, Op.LIST, Op.REFUND)}
    # The fifth and the tenth customer want half back, the fifth then a quarter; the ninth places two orders more.
    assert counts == {Op.JOURNEY: 10, Op.CREATE: 12, Op.PAY: 10, Op.LIST: 10, Op.REFUND: 3}


def test_every_request_carries_the_trace_that_follows_from_the_recorded_row(tmp_path: Path) -> None:
    history = tmp_path / "0.jsonl"
    sent: list[str] = []

    def script(peer: Peer) -> None:
        while request := peer.request():
            head = request.partition(b"\r\n\r\n")[0].decode()
            (value,) = [line[13:] for line in head.split("\r\n") if line.lower().startswith("traceparent: ")]
            sent.append(value)
            peer.send(answer(head.split("/")[2].encode()))

    with RawServer(script) as server:
        run(server, history, journeys=10, target=Paged())
    begun = [row for row in read_rows(history) if isinstance(row, Inv)]
    parts = Counter(row.parent for row in begun if row.op == Op.REQUEST)
    operations = [row for row in begun if row.op not in {Op.JOURNEY, Op.REQUEST}]
    assert {row.op for row in operations if parts[row.id] == 2} == {Op.LIST}
    assert sorted(sent) == sorted(
        TRACES.traceparent(row.id, nth) for row in operations for nth in range(1, max(1, parts[row.id]) + 1)
    )


def test_journeys_stopped_in_mid_payment_leave_it_without_completion(tmp_path: Path) -> None:
    history = tmp_path / "0.jsonl"
    asked = gevent.event.Event()

    def script(peer: Peer) -> None:
        while request := peer.request():
            path = request.split(b" ")[1].decode()
            if path.startswith("/pay/"):
                asked.set()
                peer.hold()
            peer.send(answer(path.split("/")[2].encode()))

    with RawServer(script) as server:
        run(server, history, journeys=1, until=asked)
    rows = read_rows(history)
    done = {row.id for row in rows if isinstance(row, Done)}
    assert [row.op for row in rows if isinstance(row, Inv) and row.id not in done] == [Op.JOURNEY, Op.PAY]


def test_a_target_that_resets_is_data_and_no_error_of_the_harness(tmp_path: Path) -> None:
    history = tmp_path / "0.jsonl"

    def script(peer: Peer) -> None:
        while peer.request():
            if peer.number == 1:
                peer.reset()
            peer.send(answer(b"o-1"))

    with RawServer(script) as server:
        run(server, history, journeys=1)
    endings = [row.ending for row in read_rows(history) if isinstance(row, Done) and row.ending is not None]
    # Reset, then: looks among its orders, creates again, pays, looks once more.
    assert endings == [Ending.RESET, *[Ending.ANSWERED] * 4]
