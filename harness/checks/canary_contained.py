"""Does a new build reach no more customers than it was given, and lose none of their orders?

Violated when more users were answered by a canary than its share explains (beyond the binomial
bound), a user was answered by another build than before though nobody had been moved in between,
customers were still sent to it later than the window after its error rate had departed from the old
build's, or an order that it had touched is gone after the roll-back.

Every answer counts, the failed ones above all; steps in the target's own log count beside them. A
move of users is what `faults.jsonl` says; a request that spans one may meet either build. Error
rates have departed when the lower bound of one lies above the upper bound of the other, over the
window before. Users are the draws, not requests, which come in clusters.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

from harness.binomial import lower_bound, upper_bound
from harness.checks.check import Check, Premise
from harness.checks.proof import reasons, since_start, when
from harness.evidence.tables import Evidence
from harness.verdict import CheckResult, Finding

CERTAIN = 0.999
"""A share is met on average, so half of all good runs lie above it, and error rates are compared at each answer:
only one look in a thousand may blame chance."""
MAX_SHOWN = 20

ROLLOUTS = """
SELECT p.number, p.kind, json_extract_string(p.settings, '$.release') AS release,
       CAST(json_extract_string(p.settings, '$.share') AS DOUBLE) AS share,
       min(e.at_ns) AS begun_ns, max(e.at_ns) AS ended_ns, arg_max(e.build, (e.at_ns, e.nth)) AS last_build
FROM planned_faults AS p JOIN fault_events AS e USING (number)
WHERE p.kind IN ('canary', 'upgrade') AND e.event = 'moved' GROUP BY ALL ORDER BY p.number
"""

ANSWERED_MEANWHILE = """
SELECT journey, bool_or(build = $release) AS answered,
       list(DISTINCT order_id ORDER BY order_id) FILTER (build = $release AND order_id IS NOT NULL) AS orders
FROM (SELECT journey, build, order_id FROM operations
      WHERE build IS NOT NULL AND op NOT IN ('journey', 'request', 'trespass', 'status')
        AND sent_ns BETWEEN $begun_ns AND $ended_ns)
GROUP BY journey ORDER BY journey
"""

STEPPED = """
SELECT DISTINCT o.journey, t.order_id FROM books_transitions AS t JOIN orders AS o USING (order_id)
WHERE t.build = $release AND o.journey IS NOT NULL ORDER BY o.journey, t.order_id
"""

CHANGED = """
WITH replies AS (
    SELECT journey, id, op, sent_ns, done_ns, build, order_id,
           lag(build) OVER way AS old, lag(sent_ns) OVER way AS old_sent_ns, lag(done_ns) OVER way AS old_done_ns
    FROM operations
    WHERE build IS NOT NULL AND done_ns IS NOT NULL AND op NOT IN ('journey', 'request', 'trespass', 'status')
    WINDOW way AS (PARTITION BY journey ORDER BY sent_ns, id)),
moves AS (SELECT at_ns FROM fault_events WHERE event = 'moved')
SELECT r.journey, any_value(j.user_id) AS user_id, count(*) AS times,
       arg_min({'old': r.old, 'new': r.build, 'op': r.op, 'sent_ns': r.sent_ns}, (r.sent_ns, r.id)) AS first,
       list(DISTINCT r.order_id ORDER BY r.order_id) FILTER (r.order_id IS NOT NULL) AS orders
FROM replies AS r LEFT JOIN journeys AS j USING (journey)
WHERE r.build <> r.old AND r.old_done_ns <= r.sent_ns
  AND NOT EXISTS (SELECT 1 FROM moves AS m WHERE m.at_ns BETWEEN r.old_sent_ns AND r.done_ns)
GROUP BY r.journey ORDER BY r.journey
"""

ANSWERS = """
SELECT done_ns, sent_ns, build = $release AS by_it, http >= 500 AND outcome <> 'fail' AS failed, order_id
FROM operations
WHERE build IS NOT NULL AND done_ns IS NOT NULL AND http IS NOT NULL
  AND op NOT IN ('journey', 'request', 'trespass', 'status') AND done_ns >= $begun_ns
ORDER BY done_ns, id
"""

TOUCHED_AND_GONE = """
WITH touched AS (
    SELECT order_id FROM operations WHERE build = $release AND order_id IS NOT NULL AND op <> 'trespass'
    UNION SELECT order_id FROM books_transitions WHERE build = $release)
SELECT k.order_id, k.user_id, k.known_ns, k.in_books,
       EXISTS (SELECT 1 FROM reads AS r WHERE r.order_id = k.order_id AND r.user_id = k.user_id AND r.outcome = 'fail'
               AND r.ending = 'answered' AND (r.code = 'order_not_found' OR (r.http = 404 AND r.code IS NOT NULL)))
           AS denied
FROM known_orders AS k JOIN touched USING (order_id) ORDER BY k.order_no
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What one look found."""

    findings: tuple[Finding, ...] = ()
    users: frozenset[int] = frozenset()
    undecided: int = 0
    late_s: float | None = None
    note: str | None = None


def check(evidence: Evidence) -> CheckResult:
    """Hold each canary and upgrade of the run to its share, its users, its errors and its orders; a case is a user."""
    if not evidence.scenario.capabilities.names_build:
        return CheckResult(examined=0, not_offered="the target's answers do not name the build that gave them")
    looks = [Found(findings=tuple(_changed(evidence)))]
    rolled_back_ns = evidence.window_ns("rolled_back_ms")
    for rollout in evidence.cases(ROLLOUTS):
        looks.append(_share(evidence, rollout))
        looks.append(_departure(evidence, rollout, rolled_back_ns))
        if rollout.last_build != rollout.release:
            looks.append(_lost(evidence, rollout.release))
    undecided = sum(look.undecided for look in looks)
    measured = [look.late_s for look in looks if look.late_s is not None]
    users = frozenset[int]().union(*(look.users for look in looks))
    return CheckResult(
        examined=len(users) + undecided,
        undecided=undecided,
        reasons=reasons([(undecided, "orders that the new build touched are not in books that had not come to rest")]),
        findings=tuple(finding for look in looks for finding in look.findings),
        measured=max(measured, default=None),
        objective=rolled_back_ns / 1e9 if measured else None,
        unit="s",
        notes=tuple(look.note for look in looks if look.note is not None),
    )


def _changed(evidence: Evidence) -> Iterator[Finding]:
    """Users whose build changed between two requests though nobody was moved in between."""
    for case in evidence.cases(CHANGED):
        first, user = case.first, case.user_id or f"journey {case.journey}"
        yield Finding(
            subject=(case.orders or [user])[0],
            message=(
                f"{user} was answered by {first['old']}, and by {first['new']} on the {first['op']} sent at "
                f"{when(evidence, first['sent_ns'])}, though no users were moved in between; {_times(case.times)}."
            ),
            evidence={"user": user, "orders": case.orders or [], "changes": case.times},
        )


def _share(evidence: Evidence, rollout: SimpleNamespace) -> Found:
    """Users of the rollout's time, and how many of them the new build touched."""
    # An upgrade has no share to hold; its users are whoever came since it began.
    ended_ns = evidence.until_ns if rollout.share is None else rollout.ended_ns
    span = {"begun_ns": rollout.begun_ns, "ended_ns": ended_ns, "release": rollout.release}
    touched: dict[int, list[str]] = {}
    users = set()
    for journey, answered, orders in evidence.rows(ANSWERED_MEANWHILE, **span):
        users.add(journey)
        if answered:
            touched[journey] = orders or []
    if rollout.share is None:
        return Found(users=frozenset(users))
    for journey, order in evidence.rows(STEPPED, release=rollout.release):
        if journey in users:
            touched.setdefault(journey, []).append(order)
    count, total = len(touched), len(users)
    told = f"{count} of {total} users ({count / max(1, total):.1%}) met {rollout.release}, share {rollout.share:.0%}"
    if not total or lower_bound(count, total, confidence=CERTAIN) <= rollout.share:
        return Found(users=frozenset(users), note=told)
    orders = sorted({order for each in touched.values() for order in each})
    finding = Finding(
        subject=rollout.release,
        message=(
            f"{told}: from {when(evidence, rollout.begun_ns)} to {when(evidence, rollout.ended_ns)} more than it "
            f"explains, with {CERTAIN:.1%} confidence at least {lower_bound(count, total, confidence=CERTAIN):.1%}."
        ),
        evidence={"orders": orders[:MAX_SHOWN], "orders_in_all": len(orders), "users": count, "of": total},
    )
    return Found(users=frozenset(users), findings=(finding,))


def _departure(evidence: Evidence, rollout: SimpleNamespace, window_ns: int) -> Found:
    """When the new build's errors departed from the old one's, and who was still sent to it too long after."""
    answers = evidence.rows(ANSWERS, release=rollout.release, begun_ns=rollout.begun_ns)
    departed_ns = _departed_ns(answers, window_ns)
    if departed_ns is None:
        return Found()
    after = [(sent_ns, order) for _, sent_ns, by_it, _, order in answers if by_it and sent_ns > departed_ns]
    last_ns = max((sent_ns for sent_ns, _ in after), default=departed_ns)
    late_s = (last_ns - departed_ns) / 1e9
    told = (
        f"the error rate of {rollout.release} departed at {when(evidence, departed_ns)}, and a customer was last sent "
        f"to it {late_s:.1f} s later"
    )
    late = [order for sent_ns, order in after if sent_ns > departed_ns + window_ns]
    if not late:
        return Found(late_s=late_s, note=told)
    orders = sorted({order for order in late if order is not None})
    finding = Finding(
        subject=rollout.release,
        message=f"{told[0].upper()}{told[1:]}; {len(late)} requests came later than {window_ns / 1e9:g} s after it.",
        evidence={
            "orders": orders[:MAX_SHOWN],
            "orders_in_all": len(orders),
            "requests": len(late),
            "departed_s": since_start(evidence, departed_ns),
        },
    )
    return Found(late_s=late_s, findings=(finding,))


def _departed_ns(answers: Sequence[tuple[int, int, bool, bool, str | None]], window_ns: int) -> int | None:
    """The first answer with which the new build's error rate lies above the other's, whatever chance did."""
    recent: deque[tuple[int, bool, bool]] = deque()
    counts = {True: [0, 0], False: [0, 0]}
    for done_ns, _, by_it, failed, _ in answers:
        recent.append((done_ns, by_it, failed))
        counts[by_it][0] += 1
        counts[by_it][1] += failed
        while recent[0][0] < done_ns - window_ns:
            _, old_by_it, old_failed = recent.popleft()
            counts[old_by_it][0] -= 1
            counts[old_by_it][1] -= old_failed
        if by_it and failed:
            (own, own_failed), (other, other_failed) = counts[True], counts[False]
            least = lower_bound(own_failed, own, confidence=CERTAIN)
            if least > upper_bound(other_failed, other, confidence=CERTAIN):
                return done_ns
    return None


def _lost(evidence: Evidence, release: str) -> Found:
    """Orders that the new build touched and that are gone after the roll-back."""
    rests = evidence.conduct.quiescent_ns is not None
    shown = "orders" in evidence.scenario.capabilities.books and "books.orders" not in evidence.missing
    findings = []
    undecided = 0
    for case in evidence.cases(TOUCHED_AND_GONE, release=release):
        absent = shown and not case.in_books
        if case.denied or (absent and rests):
            where = "its owner is told that there is none" if case.denied else "the target's books do not hold it"
            findings.append(
                Finding(
                    subject=case.order_id,
                    message=(
                        f"Order {case.order_id} of {case.user_id}, known since {when(evidence, case.known_ns)} and "
                        f"touched by {release}, is gone after the roll-back: {where}."
                    ),
                    evidence={"order": case.order_id, "release": release},
                )
            )
        elif absent:
            undecided += 1
    return Found(findings=tuple(findings), undecided=undecided)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


CHECK = Check(
    name="canary_contained",
    promise="A new build reaches no more customers than its share, leaves them when it fails, and loses nothing.",
    function=check,
    needs=frozenset(
        {
            Premise.BOOKS_WHOLE,
            Premise.CONDUCT_TOLD,
            Premise.FAULTS_CONFIRMED,
            Premise.IDS_UNIQUE,
            Premise.QUIESCENT,
            Premise.ROWS_COUNTED,
            Premise.SAME_BUILD,
        }
    ),
    facts=("F11", "F19", "F25"),
    unit="s",
)
