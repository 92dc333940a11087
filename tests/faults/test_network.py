"""Network faults against the real Toxiproxy: what they do, that it is proven, and that sabotage is seen."""

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import FaultError
from harness.faults import CutAnswers, Down, Silence, SlowEdge
from harness.faults.network import Network
from harness.faults.probe import Prober, Seen
from harness.faults.proof import Event, Status
from harness.faults.timeline import Timeline
from harness.scenario import Faults
from tests.faults.ground import Ground, rows, steps

PROVEN = [
    ("injected", "confirmed"),
    ("read_back", "confirmed"),
    ("effect_seen", "confirmed"),
    ("watched", "confirmed"),
    ("lifted", "confirmed"),
    ("lift_read_back", "confirmed"),
    ("effect_gone", "confirmed"),
]


def run(parts: Ground, faults: Faults, path: Path, meanwhile: Callable[[], None] | None = None) -> None:
    """The faults on their timeline; `meanwhile` is called once all of them were set and read back."""
    with Timeline(around=parts.around, faults=faults, path=path) as timeline:
        running = threading.Thread(target=timeline.run, args=(time.monotonic_ns(),))
        running.start()
        if meanwhile is not None:
            for course in timeline._courses:
                assert course.placed.wait(5)
            meanwhile()
        running.join()
    assert parts.warden.undo == {}


@pytest.mark.parametrize(
    "faults",
    [
        CutAnswers("wechat"),
        CutAnswers("wechat", after_bytes=20),
        CutAnswers("wechat", after_bytes=300),
        Silence("wechat", answers=True),
        Silence("wechat", answers=False),
        SlowEdge("wechat", by_ms=80),
        SlowEdge("wechat", by_ms=120, jitter_ms=40),
        Down("wechat"),
    ],
    ids=lambda faults: f"{faults[0].kind}-{dict(faults[0].settings)}",
)
def test_a_fault_on_the_way_to_a_provider_is_proven_from_beginning_to_end(
    parts: Ground, tmp_path: Path, faults: Faults
) -> None:
    run(parts, faults.between(0.1, 0.4), tmp_path / "faults.jsonl")
    assert steps(tmp_path / "faults.jsonl") == PROVEN
    assert len(parts.warden.ever) == 1


def test_the_two_directions_of_silence_differ_in_what_arrives(parts: Ground, tmp_path: Path) -> None:
    run(parts, Silence("wechat", answers=True).between(0, 0.3), tmp_path / "answers.jsonl")
    run(parts, Silence("wechat", answers=False).between(0, 0.3), tmp_path / "requests.jsonl")
    (answers,) = [row for row in rows(tmp_path / "answers.jsonl") if row.event is Event.EFFECT_SEEN]
    (requests,) = [row for row in rows(tmp_path / "requests.jsonl") if row.event is Event.EFFECT_SEEN]
    assert answers.detail == "a probe through edge wechat was not answered and did arrive"
    assert requests.detail == "a probe through edge wechat was not answered and did not arrive"


def test_what_an_edge_leads_to_is_down_for_connections_that_were_open_too(parts: Ground, tmp_path: Path) -> None:
    host, _, port = parts.around.edges["wechat"].listen.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=2) as kept:
        run(parts, Down("wechat").between(0, 0.3), tmp_path / "faults.jsonl")
        assert kept.recv(1) == b""
    (seen,) = [row for row in rows(tmp_path / "faults.jsonl") if row.event is Event.EFFECT_SEEN]
    assert seen.detail == "a probe through edge wechat was cut off and did not arrive"


def test_an_edge_that_is_slower_than_it_should_be_is_told_from_one_that_is_not(parts: Ground, tmp_path: Path) -> None:
    def hurry() -> None:
        toxic = parts.toxiproxy.proxies()["r1.wechat"].toxics[0]
        parts.toxiproxy.remove_toxic("r1.wechat", toxic.name)
        parts.toxiproxy.add_toxic("r1.wechat", replace(toxic, attributes={"latency": 1, "jitter": 0}))

    run(parts, SlowEdge("wechat", by_ms=300).between(0, 0.6), tmp_path / "faults.jsonl", hurry)
    assert mismatches(tmp_path / "faults.jsonl", Event.WATCHED) != []


@pytest.mark.parametrize(
    "faults",
    [
        CutAnswers("customer"),
        Silence("customer", answers=True),
        SlowEdge("customer", by_ms=80),
        Down("customer"),
    ],
    ids=lambda faults: str(faults[0].kind),
)
def test_a_fault_on_the_customers_edge_is_proven(parts: Ground, tmp_path: Path, faults: Faults) -> None:
    parts.api.start("api")
    run(parts, faults.between(0, 0.3), tmp_path / "faults.jsonl")
    assert steps(tmp_path / "faults.jsonl") == PROVEN


def test_an_api_that_is_down_proves_no_fault_on_its_edge(parts: Ground, tmp_path: Path) -> None:
    run(parts, CutAnswers("customer").between(0, 0.3), tmp_path / "faults.jsonl")
    told = dict(steps(tmp_path / "faults.jsonl"))
    assert (told["effect_seen"], told["effect_gone"]) == ("inconclusive", "inconclusive")


def test_traffic_through_other_edges_is_not_touched(parts: Ground, tmp_path: Path) -> None:
    parts.api.start("api")
    seen: list[Seen] = []

    def look() -> None:
        with Prober(parts.around) as prober:
            seen.extend(prober.look(parts.around.edges[name], 0.5).seen for name in ("wechat", "customer"))

    run(parts, Silence("wechat", answers=True).between(0, 1.2), tmp_path / "faults.jsonl", look)
    assert seen == [Seen.SILENT, Seen.WHOLE]


def mismatches(path: Path, event: Event) -> list[str]:
    return [row.detail for row in rows(path) if row.event is event and row.status is Status.MISMATCH]


def test_a_toxic_removed_by_hand_in_mid_window_is_seen(parts: Ground, tmp_path: Path) -> None:
    run(
        parts,
        CutAnswers("wechat").between(0, 0.6),
        tmp_path / "faults.jsonl",
        lambda: _remove(parts, "wechat", "r1.0.cut_answers"),
    )
    gone = "r1.0.cut_answers does not stand on edge wechat"
    assert gone in mismatches(tmp_path / "faults.jsonl", Event.WATCHED)
    assert mismatches(tmp_path / "faults.jsonl", Event.LIFTED) == [
        "r1.0.cut_answers did not stand on edge wechat any more when it was to be removed"
    ]


def test_a_toxic_moved_to_another_edge_is_seen(parts: Ground, tmp_path: Path) -> None:
    def move() -> None:
        toxic = parts.toxiproxy.proxies()["r1.wechat"].toxics[0]
        parts.toxiproxy.remove_toxic("r1.wechat", toxic.name)
        parts.toxiproxy.add_toxic("r1.customer", toxic)

    run(parts, CutAnswers("wechat").between(0, 0.6), tmp_path / "faults.jsonl", move)
    told = (
        "r1.0.cut_answers does not stand on edge wechat; a foreign toxic stands on edge customer: "
        "r1.0.cut_answers (limit_data, downstream, bytes 0, toxicity 1)"
    )
    assert told in mismatches(tmp_path / "faults.jsonl", Event.WATCHED)
    assert mismatches(tmp_path / "faults.jsonl", Event.LIFT_READ_BACK) != []


def test_a_toxic_turned_round_is_seen(parts: Ground, tmp_path: Path) -> None:
    def turn() -> None:
        parts.toxiproxy.remove_toxic("r1.wechat", "r1.0.silence")
        body = {"name": "r1.0.silence", "type": "timeout", "stream": "upstream", "attributes": {"timeout": 0}}
        parts.toxiproxy.client.post("/proxies/r1.wechat/toxics", json=body).raise_for_status()

    run(parts, Silence("wechat", answers=True).between(0, 1.2), tmp_path / "faults.jsonl", turn)
    told = (
        "on edge wechat stands r1.0.silence (timeout, upstream, timeout 0, toxicity 1), "
        "not r1.0.silence (timeout, downstream, timeout 0, toxicity 1)"
    )
    assert told in mismatches(tmp_path / "faults.jsonl", Event.WATCHED)


def test_a_foreign_toxic_on_any_edge_of_the_run_is_seen(parts: Ground, tmp_path: Path) -> None:
    body = {"name": "somebody's", "type": "latency", "stream": "downstream", "attributes": {"latency": 1, "jitter": 0}}
    parts.toxiproxy.client.post("/proxies/r1.nowhere/toxics", json=body).raise_for_status()
    run(parts, CutAnswers("wechat").between(0, 0.2), tmp_path / "faults.jsonl")
    told = "a foreign toxic stands on edge nowhere: somebody's (latency, downstream, jitter 0, latency 1, toxicity 1)"
    assert mismatches(tmp_path / "faults.jsonl", Event.READ_BACK) == [told]
    assert mismatches(tmp_path / "faults.jsonl", Event.LIFT_READ_BACK) == [told]


def test_a_proxy_that_was_disabled_is_seen(parts: Ground, tmp_path: Path) -> None:
    def disable() -> None:
        parts.toxiproxy.disable("r1.wechat")

    run(parts, CutAnswers("wechat").between(0, 0.6), tmp_path / "faults.jsonl", disable)
    assert "the proxy of edge wechat is disabled" in mismatches(tmp_path / "faults.jsonl", Event.WATCHED)
    assert mismatches(tmp_path / "faults.jsonl", Event.EFFECT_GONE) == ["the proxy of edge wechat refuses connections"]


def test_a_proxy_that_leads_elsewhere_is_seen(parts: Ground) -> None:
    parts.toxiproxy.client.post("/proxies/r1.wechat", json={"upstream": "127.0.0.1:9"}).raise_for_status()
    edge = parts.around.edges["wechat"]
    with Prober(parts.around) as prober:
        _, wrong = Network(around=parts.around, prober=prober).survey()
    assert wrong == (
        f"the proxy of edge wechat leads from {edge.listen} to 127.0.0.1:9, not from {edge.listen} to {edge.upstream}",
    )


def test_toxics_of_other_runs_on_a_shared_toxiproxy_do_not_matter(parts: Ground, tmp_path: Path) -> None:
    parts.toxiproxy.create_proxy("r2.wechat", listen="127.0.0.1:0", upstream="127.0.0.1:9")
    body = {"name": "r2.0.silence", "type": "timeout", "stream": "upstream", "attributes": {"timeout": 0}}
    parts.toxiproxy.client.post("/proxies/r2.wechat/toxics", json=body).raise_for_status()
    run(parts, CutAnswers("wechat").between(0, 0.2), tmp_path / "faults.jsonl")
    assert steps(tmp_path / "faults.jsonl") == PROVEN
    assert [toxic.name for toxic in parts.toxiproxy.proxies()["r2.wechat"].toxics] == ["r2.0.silence"]
    parts.toxiproxy.delete_proxy("r2.wechat")


def test_a_fault_on_an_edge_that_there_is_not_is_refused_before_anything_is_set(parts: Ground, tmp_path: Path) -> None:
    with pytest.raises(FaultError, match="strikes the edge 'wechatt'; the target has: customer, nowhere, wechat"):
        Timeline(around=parts.around, faults=CutAnswers("wechatt").between(0, 1), path=tmp_path / "faults.jsonl")
    assert not (tmp_path / "faults.jsonl").exists()


def _remove(parts: Ground, edge: str, name: str) -> None:
    parts.toxiproxy.remove_toxic(f"r1.{edge}", name)


def test_without_toxiproxy_nothing_is_wrong_with_the_edges_and_none_can_be_struck(parts: Ground) -> None:
    around = replace(parts.around, toxiproxy=None)
    with Prober(around=around) as prober:
        network = Network(around=around, prober=prober)
        assert network.survey() == ({}, ())
        with pytest.raises(FaultError, match="needs Toxiproxy, and the stack was started without it"):
            network.strike(0, Silence("wechat", answers=True)[0])
