"""An edge that refuses, against the real Toxiproxy: it refuses, it is proven, it comes back, sabotage is seen."""

from pathlib import Path

from harness.faults import CutAnswers, Refuse
from harness.faults.probe import Prober, Seen
from harness.faults.proof import Event, Status
from harness.scenario import Faults
from harness.stack.warden import lifted_by_request
from tests.faults.ground import Ground, rows, steps
from tests.faults.test_network import PROVEN, run


def mismatches(path: Path, event: Event) -> list[str]:
    return [row.detail for row in rows(path) if row.event is event and row.status is Status.MISMATCH]


def test_an_edge_refuses_while_its_provider_and_other_edges_answer(parts: Ground, tmp_path: Path) -> None:
    parts.api.start("api")
    seen: list[tuple[Seen, bool]] = []

    def look() -> None:
        with Prober(parts.around) as prober:
            looks = [prober.look(parts.around.edges[name], 0.5) for name in ("wechat", "customer")]
            seen.extend((each.seen, each.alive) for each in looks)

    run(parts, Refuse("wechat").between(0, 0.8), tmp_path / "faults.jsonl", look)
    assert seen == [(Seen.REFUSED, True), (Seen.WHOLE, True)]
    with Prober(parts.around) as prober:
        assert prober.look(parts.around.edges["wechat"], 0.5).seen is Seen.WHOLE


def test_a_refusal_is_proven_from_beginning_to_end(parts: Ground, tmp_path: Path) -> None:
    run(parts, Refuse("wechat").between(0.1, 0.4), tmp_path / "faults.jsonl")
    assert steps(tmp_path / "faults.jsonl") == PROVEN
    assert len(parts.warden.ever) == 1


def test_an_edge_that_somebody_brought_up_in_mid_window_is_seen(parts: Ground, tmp_path: Path) -> None:
    run(
        parts,
        Refuse("wechat").between(0, 0.8),
        tmp_path / "faults.jsonl",
        lambda: parts.toxiproxy.enable("r1.wechat"),
    )
    assert "the proxy of edge wechat is enabled" in mismatches(tmp_path / "faults.jsonl", Event.WATCHED)
    assert mismatches(tmp_path / "faults.jsonl", Event.LIFTED) == [
        "the proxy of edge wechat was not disabled any more when it was to be enabled"
    ]


def test_an_api_that_does_not_answer_proves_no_refusal(parts: Ground, tmp_path: Path) -> None:
    run(parts, Refuse("customer").between(0, 0.3), tmp_path / "faults.jsonl")
    assert dict(steps(tmp_path / "faults.jsonl"))["effect_seen"] == "inconclusive"


def test_an_edge_that_refuses_is_no_foreign_change_to_the_faults_of_others(parts: Ground, tmp_path: Path) -> None:
    parts.api.start("api")
    run(
        parts,
        Faults((*Refuse("wechat").between(0, 0.9), *CutAnswers("customer").between(0.1, 0.6))),
        tmp_path / "faults.jsonl",
    )
    assert {status for number in (0, 1) for _, status in steps(tmp_path / "faults.jsonl", number)} == {"confirmed"}


def test_the_warden_can_bring_an_edge_up_again(parts: Ground) -> None:
    parts.toxiproxy.disable("r1.wechat")
    url = parts.toxiproxy.proxy_url("r1.wechat")
    headers = {"Content-Type": "application/json"}
    assert lifted_by_request({"method": "POST", "url": url, "headers": headers, "body": '{"enabled": true}'}, 2.0)
    assert parts.toxiproxy.proxies()["r1.wechat"].enabled
