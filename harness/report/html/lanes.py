"""Which orders must the page tell of, and what happened to each, in three lanes?

Every subject of a breach stands on the page: the worst of each broken promise, then all others, gravest first.
As many as fit are told whole, the next by the finding's own words, and where even those are too many, by name:
how many of each, the page says.

    verdict ──stories──> subjects, gravest first ──courses──> events, each in the lane of who acted
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from harness.evidence.build import NS_PER_MS
from harness.evidence.tables import Evidence
from harness.report.course import BOOKS_WORD, CUSTOMER, FAULT, STRANGER, Course, Moment, courses
from harness.report.stories import Story, stories, stories_of
from harness.verdict import JudgedCheck, Status

BATCH = 500
"""Orders whose course is asked for at a time."""

CUSTOMERS_LANE, API_LANE, PROVIDERS_LANE, FAULTS_LANE = 0, 1, 2, 3
"""Columns of a story; a fault goes across all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Space:
    """How much of the page a scenario's stories may take."""

    whole_bytes: int = 2_000_000
    """Told whole: some thousand orders."""
    brief_bytes: int = 600_000
    """Told by the finding's words alone, beyond those."""
    named: int = 25_000
    """Subjects that are only named, beyond those."""


SPACE = Space()


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One line of a story."""

    at_ms: int | None
    """After the load's start; None for how the books stood in the end."""
    lane: int
    who: str
    what: str
    answer: str = ""
    """Of a customer's request: what the API said to it, told in the API's lane."""
    minor: bool = False
    """No news by itself: shown when asked for."""
    during: bool = False
    """A fault was on."""
    trace_id: str = ""
    """Of a customer's request: under which the target knows it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tale:
    """One subject of a breach: an order, or whatever else a finding is about."""

    subject: str
    promises: tuple[str, ...]
    message: str
    steps: tuple[Step, ...]
    whole: bool
    """All that is known of it stands in `steps`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tales:
    """All subjects, the worst of each broken promise first, then gravest first."""

    told: tuple[Tale, ...]
    named: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Subject and promises of those that there is no room to tell of."""
    left_out: int = 0
    """Subjects that not even a name is left of: they stand in verdict.json."""


def tales(evidence: Evidence, checks: Iterable[JudgedCheck], space: Space = SPACE) -> Tales:
    """Tell of every subject of a breach as far as there is room."""
    every = _every(list(checks))
    told: list[Tale] = []
    whole = _filling(space.whole_bytes)
    for batch in _batches(every):
        known = courses(evidence, [story.subject for story in batch])
        tales_of = [_told(evidence, story, known.get(story.subject)) for story in batch]
        fitting = list(takewhile(whole, tales_of))
        told += fitting
        if len(fitting) < len(batch):
            break
    told += takewhile(_filling(space.brief_bytes), (_brief(story) for story in every[len(told) :]))
    rest = every[len(told) :]
    named = tuple((story.subject, story.promises) for story in rest[: space.named])
    return Tales(told=tuple(told), named=named, left_out=len(rest) - len(named))


def _every(checks: Sequence[JudgedCheck]) -> Sequence[Story]:
    """A story for each subject: the worst of each broken promise, the others, and those whose breaches are known."""
    worst_of_each = stories(checks, 1)
    told = {story.subject: story for story in (*worst_of_each, *stories(checks, sys.maxsize))}
    for check in checks:
        for story in stories_of(check, sys.maxsize) if check.status is Status.KNOWN else ():
            told.setdefault(story.subject, story)
    return tuple(told.values())


def _filling(space_bytes: int) -> Callable[[Tale], bool]:
    """Says of one tale after the other whether there is still room, which each takes from the next."""
    spent = 0

    def fits(tale: Tale) -> bool:
        nonlocal spent
        spent += _weight(tale)
        return spent <= space_bytes

    return fits


def _batches(every: Sequence[Story]) -> Iterator[Sequence[Story]]:
    for start in range(0, len(every), BATCH):
        yield every[start : start + BATCH]


def _told(evidence: Evidence, story: Story, course: Course | None) -> Tale:
    steps = tuple(_events(story) if course is None else _moments(evidence, course))
    whole = bool(steps) and (course is not None or not story.left_out)
    return Tale(subject=story.subject, promises=story.promises, message=story.message, steps=steps, whole=whole)


def _brief(story: Story) -> Tale:
    return Tale(subject=story.subject, promises=story.promises, message=story.message, steps=(), whole=False)


def _moments(evidence: Evidence, course: Course) -> Iterator[Step]:
    on: set[str] = set()
    for moment in _together(course.moments):
        if moment.who == FAULT:
            edge, _, what = moment.what.partition(": ")
            places = {f"{what} at {each}" for each in moment.where.split(", ")}
            on = on | places if edge == "begins" else on - places  # a standing condition is no fault
        what, answer = _asked(moment.who, moment.what)
        yield Step(
            at_ms=(moment.at_ns - evidence.start_ns) // NS_PER_MS,
            lane=_lane(moment.who),
            who=moment.who,
            what=what.replace("{}", moment.where) if moment.who == FAULT else what,
            answer=answer,
            minor=moment.minor,
            during=bool(on),
            trace_id=moment.trace_id or "",
        )
    yield Step(at_ms=None, lane=API_LANE, who=BOOKS_WORD, what=course.at_rest)


def _together(moments: Iterable[Moment]) -> Iterator[Moment]:
    """The same, but an edge that one fault has in several places at about one time is told once."""
    groups: dict[str, list[Moment]] = {}
    for moment in moments:
        if moment.who != FAULT:
            yield from _merged(groups)
            yield moment
            continue
        groups.setdefault(moment.what.replace(f" on {moment.where}", " on {}", 1), []).append(moment)
    yield from _merged(groups)


def _merged(groups: dict[str, list[Moment]]) -> Iterator[Moment]:
    """One moment a group, its places in `where` and `{}` in their stead; empties the groups."""
    for what, group in groups.items():
        where = ", ".join(sorted({moment.where for moment in group}))
        yield Moment(at_ns=group[0].at_ns, who=FAULT, what=what, where=where)
    groups.clear()


def _events(story: Story) -> Iterator[Step]:
    for event in story.events:
        at_ms = None if event.at_s is None else round(event.at_s * 1_000)
        what, answer = _asked(event.who, event.what)
        trace_id = event.trace_id or ""
        yield Step(at_ms=at_ms, lane=_lane(event.who), who=event.who, what=what, answer=answer, trace_id=trace_id)


def _asked(who: str, what: str) -> tuple[str, str]:
    """A customer's request and its answer, apart; anything else as it is."""
    if _lane(who) != CUSTOMERS_LANE:
        return what, ""
    request, _, answer = what.partition(": ")
    return request, answer


def _lane(who: str) -> int:
    if who in {CUSTOMER, STRANGER}:
        return CUSTOMERS_LANE
    return {BOOKS_WORD: API_LANE, FAULT: FAULTS_LANE}.get(who, PROVIDERS_LANE)


def _weight(tale: Tale) -> int:
    """About so many bytes of the page."""
    words = (word for step in tale.steps for word in (step.what, step.answer, step.trace_id))
    return len(tale.message) + 60 + sum(map(len, words)) + 20 * len(tale.steps)
