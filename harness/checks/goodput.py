"""Beyond its limit, does the target do as much useful work as at its limit, or does it collapse?

    journeys a second            ┌─────────────┐            twice the knee: how many are paid?
              ┌─ the knee ───────┘             └─────────   down again: is everybody paid again?
    ──────────┘ all are paid                                                          ───> time

Violated when journeys were paid, while at least twice as many arrived as were ever paid a second (the knee), at
less than the objective's share of that peak rate; or when, from the recovery window after the arrivals fell on,
less than that share of the journeys that arrived was paid within patience.

Paid within patience counts, not answered. Rates are taken over short windows that slide; since they blur, 1.6
times the best of them counts as twice. The peak that is asked for is the best of windows twice as long, since the
best of short ones is luck. Windows that a fault touches tell nothing. Where the arrivals never came to twice the
knee, or the target never kept up with them, there was no knee to see; nor where nobody was turned away beyond it, or
left without an answer, and nearly all were paid: a short crowd is paid for a moment later, which is no collapse.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.checks.alive import alive_until_ns
from harness.checks.check import IN_TIME, Check
from harness.checks.proof import reasons, since_start
from harness.evidence.tables import Evidence
from harness.recorder.rows import PREFLIGHT_JOURNEYS
from harness.verdict import CheckResult, Finding

WINDOW_NS = 2_000_000_000
PEAK_NS = 2 * WINDOW_NS
STEP_NS = 250_000_000
LAG_NS = 500_000_000
"""A customer arrives, orders, thinks and is paid: what is paid is looked for so long after who arrived."""
TWICE = 1.6
KEEPS_UP = 0.5
"""A target that pays this share of what arrives in a window keeps up with it; the rest may come a moment later."""
NEARLY_ALL = 0.95
"""Where this share of those who came beyond the knee is paid within patience, and nobody refused, it is no knee."""
FEWEST_AFTER = 5
"""Journeys after the load fell; of fewer nothing can be said."""

JOURNEYS = """
SELECT scheduled_ns, done_ns, final = 'paid' AND done_ns <= scheduled_ns + $patience_ns AS paid,
       CASE WHEN leaves_early OR final IN ('left', 'declined') THEN 'none'
            WHEN final = 'paid' AND done_ns <= scheduled_ns + $patience_ns THEN 'good'
            WHEN done_ns IS NULL AND $cut_ns < scheduled_ns + $patience_ns THEN 'undecided' ELSE 'bad' END AS word
FROM journeys WHERE journey < $preflight ORDER BY scheduled_ns, journey
"""

TURNED_AWAY = """
SELECT sent_ns FROM operations WHERE op IN ('create', 'pay') AND (ending <> 'answered' OR http IN (429, 503))
ORDER BY sent_ns
"""

FAULTY = """
SELECT start_ns, coalesce(end_ns, $until_ns) AS end_ns FROM faults
WHERE NOT standing AND start_ns IS NOT NULL ORDER BY start_ns
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """What happened in one short time; rates a second."""

    from_ns: int
    to_ns: int
    arrived: float
    paid: float


def check(evidence: Evidence) -> CheckResult:
    """Look for the knee, and at what was paid beyond it; a case is a journey that arrived beyond it, or after it."""
    rows = evidence.rows(
        JOURNEYS,
        patience_ns=evidence.window_ns("patience_ms"),
        cut_ns=alive_until_ns(evidence),
        preflight=PREFLIGHT_JOURNEYS,
    )
    arrivals = [scheduled_ns for scheduled_ns, *_ in rows]
    payments = sorted(done_ns for _, done_ns, paid, _ in rows if paid)
    faulty = evidence.rows(FAULTY, until_ns=evidence.until_ns)
    windows = _untouched(_windows(arrivals, payments, WINDOW_NS), faulty)
    best = max((window.paid for window in windows), default=0.0)
    peak = max((window.paid for window in _untouched(_windows(arrivals, payments, PEAK_NS), faulty)), default=0.0)
    beyond = [window for window in windows if peak and window.arrived >= TWICE * best]
    if not beyond or not any(w.paid >= KEEPS_UP * w.arrived > 0 for w in windows if w.from_ns < beyond[0].from_ns):
        most = max((window.arrived for window in windows), default=0.0)
        return CheckResult(
            examined=0, notes=(f"no knee was seen: at most {most:g}/s arrived and at most {best:g}/s were paid",)
        )
    share = evidence.scenario.objectives.goodput_share
    spans = _joined(beyond)
    met = [word for at_ns, *_, word in rows if _within(at_ns, spans)]
    turned_away = any(_within(sent_ns, spans) for (sent_ns,) in evidence.rows(TURNED_AWAY))
    if not turned_away and met.count("good") >= NEARLY_ALL * (met.count("good") + met.count("bad")):
        told = f"no knee was seen: {met.count('good')} of the {len(met)} who came when most did were paid, none refused"
        return CheckResult(examined=0, notes=(told,))
    span_ns = sum(to_ns - from_ns for from_ns, to_ns in spans)
    paid = sum(_count(payments, from_ns + LAG_NS, to_ns + LAG_NS) for from_ns, to_ns in spans)
    arrived = sum(_count(arrivals, from_ns, to_ns) for from_ns, to_ns in spans)
    rate = paid / span_ns * 1e9
    findings = []
    if rate < share * peak:
        findings.append(_collapsed(evidence, spans, paid=rate, arrived=arrived / span_ns * 1e9, peak=peak))
    back_ns = spans[-1][1] + evidence.window_ns("recovered_ms")
    words = [word for scheduled_ns, _, _, word in rows if scheduled_ns >= back_ns]
    good, bad, undecided = (words.count(each) for each in ("good", "bad", "undecided"))
    if good + bad >= FEWEST_AFTER and good < share * (good + bad):
        findings.append(
            Finding(
                subject="goodput after the load fell",
                message=(
                    f"Of {good + bad} journeys that arrived from +{since_start(evidence, back_ns):.1f} s on, "
                    f"{evidence.scenario.windows['recovered_ms'] / 1000:g} s after the load had fallen, {good} were "
                    f"paid within patience; objective {share:.0%}."
                ),
            )
        )
    return CheckResult(
        examined=arrived + good + bad + undecided,
        undecided=undecided,
        reasons=reasons([(undecided, "journeys were cut within their patience")]),
        findings=tuple(findings),
        measured=round(rate / peak, 4),
        objective=share,
        unit="share",
        notes=(
            f"knee at {peak:g} paid/s; {rate:.1f} paid/s of {arrived / span_ns * 1e9:.1f} arrivals/s",
            f"{good} of {good + bad} paid after the load had fallen",
        ),
    )


def _windows(arrivals: Sequence[int], payments: Sequence[int], length_ns: int) -> list[Window]:
    if not arrivals:
        return []
    per_s = 1e9 / length_ns
    return [
        Window(
            from_ns=from_ns,
            to_ns=from_ns + length_ns,
            arrived=_count(arrivals, from_ns, from_ns + length_ns) * per_s,
            paid=_count(payments, from_ns + LAG_NS, from_ns + length_ns + LAG_NS) * per_s,
        )
        for from_ns in range(arrivals[0], max(arrivals[0], arrivals[-1] - length_ns) + 1, STEP_NS)
    ]


def _untouched(windows: Iterable[Window], faulty: Sequence[tuple[int, int]]) -> list[Window]:
    return [
        window
        for window in windows
        if not any(start_ns <= window.to_ns and end_ns >= window.from_ns for start_ns, end_ns in faulty)
    ]


def _joined(windows: Iterable[Window]) -> list[tuple[int, int]]:
    """Windows that overlap, as spans."""
    spans: list[tuple[int, int]] = []
    for window in windows:
        to_ns = window.to_ns
        if spans and window.from_ns <= spans[-1][1]:
            spans[-1] = (spans[-1][0], to_ns)
        else:
            spans.append((window.from_ns, to_ns))
    return spans


def _within(instant_ns: int, spans: Iterable[tuple[int, int]]) -> bool:
    return any(from_ns <= instant_ns < to_ns for from_ns, to_ns in spans)


def _count(ascending: Sequence[int], from_ns: int, to_ns: int) -> int:
    return bisect_left(ascending, to_ns) - bisect_left(ascending, from_ns)


def _collapsed(
    evidence: Evidence, spans: Sequence[tuple[int, int]], *, paid: float, arrived: float, peak: float
) -> Finding:
    times = [[since_start(evidence, from_ns), since_start(evidence, to_ns)] for from_ns, to_ns in spans]
    return Finding(
        subject="goodput beyond the knee",
        message=(
            f"{paid:.1f} journeys a second were paid while {arrived:.1f} a second arrived, from +{times[0][0]:.1f} s "
            f"to +{times[-1][1]:.1f} s; at its best it paid {peak:.1f} a second. That is {paid / peak:.0%} of its "
            f"peak, objective {evidence.scenario.objectives.goodput_share:.0%}."
        ),
        evidence={"overloaded_s": times},
    )


CHECK = Check(
    name="goodput",
    promise="Under twice the load that it can bear, it does as much as it can, and recovers when that is over.",
    function=check,
    needs=IN_TIME,
    facts=("F10", "F30"),
    undecided_share=0.02,
    unit="share",
)
