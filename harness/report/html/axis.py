"""What happened when, second by second, in one scenario of a run?

Read from the evidence's tables and summed up into bins of one width, so that a page holds as much for a
hundred thousand operations as for a hundred. Instants are ms after the load's start.

    journeys ──────────> rates            faults, fault_events ──> bands
    operations ────────> outcomes         attempts, status page ─> words
    operations ────────> latencies        phases, recovery ──────> marks
    captures, refunds ─> charges
"""

from collections.abc import Iterator
from dataclasses import dataclass

from harness.checks.recovery_time import END
from harness.documents import PhaseRecord
from harness.evidence.build import NS_PER_MS
from harness.evidence.tables import Evidence
from harness.report.html.words import Word, words

MOST_BINS = 100
"""Bins on the axis at most: enough to see a second of a gate's run, few enough to hold some customers each."""
BINS_MS = (500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 300_000, 900_000, 3_600_000)
COUNTED = ("create", "pay", "read", "list", "refund")
"""Operations of customers on their own orders; looks at the status page and trespasses are none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """Journeys in one bin, by when they were due, when they began, and when they ended paid."""

    at_ms: int
    due: int
    begun: int
    paid: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcomes:
    """Operations sent in one bin, by how they ended."""

    at_ms: int
    ok: int
    fail: int
    info: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Latencies:
    """Operations due in one bin, how long after that they were answered, and how many never were."""

    at_ms: int
    answered: int
    unanswered: int
    p50_ms: float | None
    p99_ms: float | None
    max_ms: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Charges:
    """What one provider moved in one bin, in one currency."""

    at_ms: int
    provider: str
    currency: str
    captures: int
    captured_minor: int
    refunds: int
    refunded_minor: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Band:
    """One fault, as planned and as it was seen."""

    number: int
    name: str
    describe: str
    standing: bool
    """A condition of the scenario, on from before the load to after it."""
    planned_ms: tuple[int | None, int | None]
    from_ms: int | None
    """None: never injected."""
    to_ms: int | None
    """None: not seen to end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """One instant with a name."""

    at_ms: int
    what: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Axis:
    """Everything that is drawn over one axis of time."""

    bin_ms: int
    end_ms: int
    phases: tuple[PhaseRecord, ...]
    rates: tuple[Rate, ...]
    outcomes: tuple[Outcomes, ...]
    latencies: tuple[Latencies, ...]
    charges: tuple[Charges, ...]
    bands: tuple[Band, ...]
    words: tuple[Word, ...]
    marks: tuple[Mark, ...]
    blind: tuple[tuple[str, str], ...]
    """Providers of whose charges some or all are not known, and why."""
    announced_ms: int | None
    """Within this the status page must name what fails; None where the target has no such page."""
    latency_limit_ms: int


def axis(evidence: Evidence, recovered_s: float | None) -> Axis:
    """Sum up one scenario; `recovered_s` is what the check of recovery measured after the last fault's end."""
    span_ns = max(1, _end_ns(evidence) - evidence.start_ns)
    bin_ms = next((width for width in BINS_MS if span_ns <= width * MOST_BINS * NS_PER_MS), BINS_MS[-1])
    bins = -(-span_ns // (bin_ms * NS_PER_MS))
    scope: dict[str, object] = {"start_ns": evidence.start_ns, "bin_ns": bin_ms * NS_PER_MS, "bins": bins}
    page = "status" in evidence.scenario.capabilities.operations
    return Axis(
        bin_ms=bin_ms,
        end_ms=bins * bin_ms,
        phases=evidence.scenario.phases,
        rates=tuple(
            Rate(at_ms=at * bin_ms, due=due, begun=begun, paid=paid)
            for at, due, begun, paid in evidence.rows(RATES, **scope)
        ),
        outcomes=tuple(
            Outcomes(at_ms=at * bin_ms, ok=ok, fail=fail, info=info)
            for at, ok, fail, info in evidence.rows(OUTCOMES, ops=list(COUNTED), **scope)
        ),
        latencies=tuple(
            Latencies(at_ms=at * bin_ms, answered=n, unanswered=never, p50_ms=_ms(half), p99_ms=_ms(p99), max_ms=_ms(m))
            for at, n, never, half, p99, m in evidence.rows(LATENCIES, ops=list(COUNTED), **scope)
        ),
        charges=tuple(
            Charges(
                at_ms=row.bin * bin_ms,
                provider=row.provider,
                currency=row.currency or "",
                captures=row.captures,
                captured_minor=row.captured_minor,
                refunds=row.refunds,
                refunded_minor=row.refunded_minor,
            )
            for row in evidence.cases(CHARGES, **scope)
        ),
        bands=tuple(_bands(evidence)),
        words=words(evidence),
        marks=tuple(_marks(evidence, recovered_s)),
        blind=tuple(evidence.rows(BLIND)),
        announced_ms=evidence.scenario.windows.get("announced_ms") if page else None,
        latency_limit_ms=evidence.scenario.objectives.latency_limit_ms,
    )


BLIND = "SELECT provider, unsound FROM ledgers WHERE unsound IS NOT NULL ORDER BY provider"

LAST = """
SELECT max(at_ns) FROM (SELECT max(coalesce(done_ns, sent_ns)) AS at_ns FROM operations
    UNION ALL SELECT max(at_ns) FROM captures UNION ALL SELECT max(done_ns) FROM provider_refunds
    UNION ALL SELECT max(end_ns) FROM faults WHERE NOT standing) ORDER BY ALL
"""


def _end_ns(evidence: Evidence) -> int:
    """The last instant at which anything happened that is drawn."""
    last_ns: int | None = evidence.row(LAST)[0]
    return max(last_ns or evidence.start_ns, evidence.conduct.load_end_ns or evidence.start_ns)


RATES = """
WITH instants AS (
    SELECT scheduled_ns AS at_ns, 'due' AS what FROM journeys UNION ALL SELECT sent_ns, 'begun' FROM journeys
    UNION ALL SELECT done_ns, 'paid' FROM journeys WHERE final = 'paid')
SELECT b.bin, count(*) FILTER (what = 'due'), count(*) FILTER (what = 'begun'), count(*) FILTER (what = 'paid')
FROM (SELECT unnest(range($bins)) AS bin) AS b
LEFT JOIN instants AS i ON at_ns >= $start_ns AND (at_ns - $start_ns) // $bin_ns = b.bin
GROUP BY b.bin ORDER BY b.bin
"""

OUTCOMES = """
SELECT b.bin, count(*) FILTER (outcome = 'ok'), count(*) FILTER (outcome = 'fail'), count(*) FILTER (outcome = 'info')
FROM (SELECT unnest(range($bins)) AS bin) AS b
LEFT JOIN operations AS p ON p.sent_ns >= $start_ns AND (p.sent_ns - $start_ns) // $bin_ns = b.bin
     AND p.op IN (SELECT unnest($ops))
GROUP BY b.bin ORDER BY b.bin
"""

LATENCIES = """
WITH took AS (
    SELECT (scheduled_ns - $start_ns) // $bin_ns AS bin, ending = 'answered' AS answered,
           greatest(done_ns - scheduled_ns, 0) AS took_ns
    FROM operations WHERE scheduled_ns >= $start_ns AND op IN (SELECT unnest($ops)))
SELECT bin, count(*) FILTER (answered), count(*) FILTER (NOT coalesce(answered, false)),
       quantile_disc(took_ns, 0.5) FILTER (answered), quantile_disc(took_ns, 0.99) FILTER (answered),
       max(took_ns) FILTER (answered)
FROM took WHERE bin < $bins GROUP BY bin ORDER BY bin
"""

CHARGES = """
WITH moved AS (
    SELECT provider, currency, at_ns, 1 AS captures, amount_minor AS captured_minor, 0 AS refunds, 0 AS refunded_minor
    FROM captures
    UNION ALL
    SELECT r.provider, c.currency, r.done_ns, 0, 0, 1, r.amount_minor FROM provider_refunds AS r
    LEFT JOIN (SELECT provider, number, min(currency) AS currency FROM captures GROUP BY provider, number) AS c
         USING (provider, number)
    WHERE r.done_ns IS NOT NULL)
SELECT (at_ns - $start_ns) // $bin_ns AS bin, provider, currency, CAST(sum(captures) AS BIGINT) AS captures,
       CAST(sum(captured_minor) AS BIGINT) AS captured_minor, CAST(sum(refunds) AS BIGINT) AS refunds,
       CAST(sum(refunded_minor) AS BIGINT) AS refunded_minor
FROM moved WHERE at_ns >= $start_ns AND (at_ns - $start_ns) // $bin_ns < $bins
GROUP BY bin, provider, currency ORDER BY bin, provider, currency
"""

BANDS = """
SELECT number, kind, "where", "describe", coalesce(standing, false) AS standing, planned_start_ns, planned_end_ns,
       start_ns, end_ns
FROM faults ORDER BY number
"""


def _bands(evidence: Evidence) -> Iterator[Band]:
    for row in evidence.cases(BANDS):
        yield Band(
            number=row.number,
            name=f"{row.kind} at {row.where}",
            describe=row.describe,
            standing=row.standing,
            planned_ms=(_since(evidence, row.planned_start_ns), _since(evidence, row.planned_end_ns)),
            from_ms=_since(evidence, row.start_ns),
            to_ms=_since(evidence, row.end_ns),
        )


def _marks(evidence: Evidence, recovered_s: float | None) -> Iterator[Mark]:
    end_ns: int | None = evidence.row(END)[0]
    if end_ns is not None:
        over_ms = (end_ns - evidence.start_ns) // NS_PER_MS
        yield Mark(at_ms=over_ms, what="last fault lifted")
        if recovered_s is not None:
            yield Mark(at_ms=over_ms + round(recovered_s * 1_000), what="served as before")
        yield Mark(at_ms=over_ms + evidence.scenario.windows["recovered_ms"], what="recovery due by")
    if evidence.conduct.load_end_ns is not None:
        yield Mark(at_ms=(evidence.conduct.load_end_ns - evidence.start_ns) // NS_PER_MS, what="load over")


def _since(evidence: Evidence, at_ns: int | None) -> int | None:
    return None if at_ns is None else (at_ns - evidence.start_ns) // NS_PER_MS


def _ms(took_ns: int | None) -> float | None:
    return None if took_ns is None else round(took_ns / NS_PER_MS, 1)
