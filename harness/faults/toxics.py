"""Which faults does the network have, and what is each at Toxiproxy?

A constructor that scenario files call, and below it what its specification means:
a toxic, and how a probe must end while the toxic stands. A toxic acts on one
direction of one proxy, so the direction is part of the fault: on the answers
(downstream) the work was done and nobody was told; on the requests (upstream)
nothing was done.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from harness.errors import FaultError
from harness.faults.probe import ANSWER_LIMIT_S, SILENCE_LIMIT_S, Seen
from harness.scenario import Driver, Faults, FaultSpec

_SMALLEST_ANSWER_BYTES: Final = 60
"""No HTTP answer is shorter; so many requests on one connection reach any limit on its bytes."""
_MOST_REQUESTS: Final = 100


def CutAnswers(*edges: str, after_bytes: int = 0) -> Faults:  # scenario files read it as a thing
    """Answers on these edges are cut `after_bytes` bytes into a connection; the work was done all the same."""
    return _everywhere("cut_answers", edges, {"after_bytes": after_bytes})


def Silence(*edges: str, answers: bool) -> Faults:  # scenario files read it as a thing
    """Nothing comes through, and connections stay open: the answers are lost, or (answers=False) the requests."""
    return _everywhere("silence", edges, {"answers": answers})


def SlowEdge(*edges: str, by_ms: int, jitter_ms: int = 0) -> Faults:  # scenario files read it as a thing
    """Every answer on these edges comes `by_ms` later, give or take up to `jitter_ms`."""
    return _everywhere("slow_edge", edges, {"by_ms": by_ms} | ({"jitter_ms": jitter_ms} if jitter_ms else {}))


def Down(*edges: str) -> Faults:  # scenario files read it as a thing
    """Whatever is at the end of these edges is gone: open connections end, new ones at once, and nothing arrives."""
    return _everywhere("down", edges, {})


def _everywhere(kind: str, edges: tuple[str, ...], settings: Mapping[str, int | bool]) -> Faults:
    return Faults(FaultSpec(kind=kind, driver=Driver.NETWORK, where=edge, settings=dict(settings)) for edge in edges)


@dataclass(frozen=True, kw_only=True, slots=True)
class ToxicPlan:
    """What a specification means at Toxiproxy."""

    kind: str
    stream: str
    attributes: Mapping[str, int]
    seen: Seen
    """How a probe must end while the toxic stands."""
    limit_s: float
    requests: int = 1
    least_s: float = 0.0
    """No probe may end sooner."""


def toxic_plan(spec: FaultSpec) -> ToxicPlan:
    """From the scenario's words to Toxiproxy's; raises FaultError for a kind that there is not."""
    match spec.kind:
        case "cut_answers":
            after_bytes = int(spec.settings["after_bytes"])
            return ToxicPlan(
                kind="limit_data",
                stream="downstream",
                attributes=MappingProxyType({"bytes": after_bytes}),
                seen=Seen.CUT,
                limit_s=ANSWER_LIMIT_S,
                requests=min(after_bytes // _SMALLEST_ANSWER_BYTES + 1, _MOST_REQUESTS),
            )
        case "silence":
            return ToxicPlan(
                kind="timeout",
                stream="downstream" if spec.settings["answers"] else "upstream",
                attributes=MappingProxyType({"timeout": 0}),  # 0: the connection stays open until one side gives up
                seen=Seen.SILENT,
                limit_s=SILENCE_LIMIT_S,
            )
        case "slow_edge":
            by_ms, jitter_ms = int(spec.settings["by_ms"]), int(spec.settings.get("jitter_ms", 0))
            return ToxicPlan(
                kind="latency",
                stream="downstream",
                attributes=MappingProxyType({"latency": by_ms, "jitter": jitter_ms}),
                seen=Seen.WHOLE,
                limit_s=ANSWER_LIMIT_S + (by_ms + jitter_ms) / 1_000,
                least_s=max(by_ms - jitter_ms, 0) / 1_000,
            )
        case "down":
            return ToxicPlan(
                # A toxic rather than a disabled proxy: a DELETE undoes it, whoever has to. Not reset_peer, which
                # leaves a connection open until something is sent on it.
                kind="timeout",
                stream="upstream",
                attributes=MappingProxyType({"timeout": 1}),
                seen=Seen.CUT,
                limit_s=ANSWER_LIMIT_S,
            )
    raise FaultError(f"network fault {spec.kind!r} is unknown; `harness list faults` shows those there are")
