"""What happened to each order that a promise was broken for?

The breaches of all checks are put together by order, gravest first, and the rows that prove them
are told as one course of events: what the customer asked and was answered, what the provider did
with the money, what the books say in the end.

    JudgedCheck.findings ──by subject──> Story ──evidence──> events, in the order of their instants
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from harness.money import Bearer, amount, losses
from harness.rating import MONEY_OR_ORDERS
from harness.verdict import Finding, JudgedCheck, Status

MOST_EVENTS = 12
"""Events told of one order; how many more rows there are is said, and all stand in verdict.json."""
SLOW_S = 0.5
"""An answer that took longer than this has its time told."""

Row = Mapping[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One line of a story."""

    at_s: float | None
    """Seconds since the load's start; None for how the books stood in the end."""
    who: str
    what: str
    trace_id: str | None = None
    """Under which the target knows a customer's operation."""

    def told(self) -> str:
        """What happened, and where the target's own tracing tells of it."""
        return in_trace(self.what, self.trace_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class Story:
    """One order, or whatever else findings are about."""

    subject: str
    promises: tuple[str, ...]
    """Names of the checks that found a breach, gravest first."""
    message: str
    """The gravest finding's own words."""
    events: tuple[Event, ...]
    left_out: int
    """Events that did not fit."""


def by_gravity(checks: Iterable[JudgedCheck]) -> list[JudgedCheck]:
    """The broken promises, gravest first: what costs customers money or orders, then the rest in the checks' own order.

    A breach that the generator's lag puts in doubt is none.
    """
    rank = {name: place for place, name in enumerate(MONEY_OR_ORDERS)}
    return sorted(
        (check for check in checks if check.status is Status.FAIL), key=lambda check: rank.get(check.check, len(rank))
    )


def stories(checks: Iterable[JudgedCheck], most: int) -> tuple[Story, ...]:
    """The worst `most` stories, and beyond them one for each broken promise that none of these tells of.

    The gravest promise comes first, in it the order that most money is lost of.
    """
    broken = by_gravity(checks)
    rank = {check.check: place for place, check in enumerate(broken)}
    found: dict[str, list[tuple[str, Finding]]] = defaultdict(list)
    for check in broken:
        for finding in check.findings:
            found[finding.subject].append((check.check, finding))

    def gravity(subject: str) -> tuple[int, int, str]:
        lost = max(_lost_minor(finding) for _, finding in found[subject])
        return rank[found[subject][0][0]], -lost, subject

    worst = sorted(found, key=gravity)
    chosen = worst[:most]
    told = {name for subject in chosen for name, _ in found[subject]}
    for check in broken:
        if check.check not in told:
            chosen.append(next(subject for subject in worst if check.check in {name for name, _ in found[subject]}))
            told |= {name for name, _ in found[chosen[-1]]}
    return tuple(_story(subject, found[subject]) for subject in chosen)


def stories_of(check: JudgedCheck, most: int) -> tuple[Story, ...]:
    """The worst `most` stories of one promise's findings, whatever its status; most money lost first."""
    found: dict[str, list[tuple[str, Finding]]] = defaultdict(list)
    for finding in check.findings:
        found[finding.subject].append((check.check, finding))
    worst = sorted(found, key=lambda subject: (-max(_lost_minor(finding) for _, finding in found[subject]), subject))
    return tuple(_story(subject, found[subject]) for subject in worst[:most])


def told(story: Story) -> Iterator[str]:
    """A story in plain text, line by line: its subject and the gravest words of it, then its course."""
    yield story.message if story.subject in story.message else f"{story.subject}: {story.message}"
    for event in story.events:
        at = "at rest" if event.at_s is None else f"{event.at_s:+.3f} s"
        yield f"  {at:>10}  {event.who:<8}  {event.told()}"
    if story.left_out:
        yield f"  {story.left_out} more rows in verdict.json"


def _lost_minor(finding: Finding) -> int:
    return sum(minor for bearer, _, minor in losses(finding.evidence) if bearer is not Bearer.BOOKS)


def _story(subject: str, found: list[tuple[str, Finding]]) -> Story:
    currency = next((currency for _, finding in found for _, currency, _ in losses(finding.evidence)), None)
    events = next((told for _, finding in found if (told := list(_events(finding.evidence, currency)))), [])
    last = [event for event in events if event.at_s is None]
    course = sorted((event for event in events if event.at_s is not None), key=lambda event: event.at_s or 0.0)
    return Story(
        subject=subject,
        promises=tuple(dict.fromkeys(name for name, _ in found)),
        message=found[0][1].message,
        events=(*course[:MOST_EVENTS], *last),
        left_out=max(0, len(course) - MOST_EVENTS),
    )


def _events(evidence: Mapping[str, object], currency: str | None) -> Iterator[Event]:
    proofs, keys = list(_proofs(evidence)), dict[object, int]()
    of_orders = {row.get("id") for proof in proofs for row in _rows(proof, "history")}
    for row in _rows(evidence, "requests"):
        if row.get("id") not in of_orders:  # never answered, so no order that is known is theirs
            yield _operation(row, keys)
    for proof in proofs:
        for row in _rows(proof, "history"):
            if row.get("op") in {"read", "list"} and row.get("outcome") == "ok":
                continue  # a look that found what it sought is no news
            yield _operation(row, keys)
        for row in _rows(proof, "ledger"):
            if (what := _moved(row, currency)) is not None:
                yield Event(at_s=_float(row.get("at_s")), who=str(row.get("provider", "provider")), what=what)
        if proof:
            yield Event(at_s=None, who="books", what=booked(_rows(proof, "books"), currency))


def _operation(row: Row, keys: dict[object, int]) -> Event:
    """One operation of a customer; `keys` numbers a story's idempotency keys as they come."""
    key = keys.setdefault(row["key_no"], len(keys) + 1) if "key_no" in row else None
    trace_id = row.get("trace_id")
    return Event(
        at_s=_float(row.get("sent_s")),
        who="customer",
        what=asked(row, key),
        trace_id=trace_id if isinstance(trace_id, str) else None,
    )


def _proofs(evidence: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """What `harness.checks.proof.proof` gave, wherever the finding put it: in itself, or one for each of its orders."""
    if evidence.keys() & {"history", "ledger"}:
        yield evidence
    match evidence.get("orders"):
        case dict() as orders:
            yield from (proof for proof in orders.values() if isinstance(proof, dict))
        case list() as orders:
            yield from (proof for proof in orders if isinstance(proof, dict))


def _rows(proof: Mapping[str, object], name: str) -> list[Row]:
    rows = proof.get(name, [])
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def asked(row: Row, key: int | None) -> str:
    """One request of the customer and its answer."""
    what = str(row.get("op"))
    what += f" by {row['method']}" if "method" in row else ""
    what += "" if key is None else f" (key {key})"
    sent_s, done_s = _float(row.get("sent_s")), _float(row.get("done_s"))
    if row.get("ending") == "answered":
        answer = " ".join(str(row[name]) for name in ("http", "code") if name in row)
    else:
        answer = str(row.get("ending", "no answer")).replace("_", " ")
    took = "" if sent_s is None or done_s is None or done_s - sent_s < SLOW_S else f" after {done_s - sent_s:.1f} s"
    state = f", the order is {row['state']}" if "state" in row else ""
    return f"{what}: {answer}{took}{state}"


def in_trace(what: str, trace_id: str | None) -> str:
    """A line of a story, with the trace that it has in the target's own tracing, if any: a word that no fold parts."""
    return what if trace_id is None else f"{what}, trace:{trace_id}"


def _moved(row: Row, currency: str | None) -> str | None:
    """One effect at a provider; None for a step before one."""
    money = amount(_int(row.get("amount_minor")), currency)
    number = row.get("number")
    match row.get("kind"):
        case "captured":
            return f"took {money} under {number}"
        case "refunded":
            return f"gave {money} back, of {number}"
        case "closed" | "failed" as kind:
            return f"{kind} {number}"
    return None


def booked(rows: list[Row], currency: str | None) -> str:
    """How the books stood when the evidence was taken."""
    told = [
        f"order {row.get('raw_state')}, {amount(_int(row.get('amount_minor')), currency)} paid, "
        f"{amount(_int(row.get('other_minor')), currency)} given back"
        for row in rows
        if row.get("book") == "order"
    ] or ["they do not hold the order"]
    told += [
        f"{row.get('book')} {row.get('number', '(no number yet)')} {row.get('raw_state')}"
        for row in rows
        if row.get("book") in {"payment", "refund"}
    ]
    return "; ".join(told)


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0
