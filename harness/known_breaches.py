"""Which breaches does somebody know of already, and until when may they stand?

`known.toml`, an entry a breach:

    [[known]]
    check = "no_silence"
    scenario = "Incident"
    ticket = "PAY-123"
    expires = 2026-12-31   # its last day, UTC

It softens one thing only: a FAIL of that check in that scenario becomes KNOWN, which is shown and does not count for
the exit code. UNKNOWN stays UNKNOWN, and `assumptions` cannot be known. The expiry is held against the instant at
which the run began. No I/O, no clock.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import msgspec

from harness.verdict import ASSUMPTIONS, JudgedCheck, KnownBreach, KnownEntry, ScenarioVerdict, Standing, Status

KNOWN_FILE = "known.toml"
"""In the working directory the default; in a run directory the copy that the run took along."""


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    check: str
    scenario: str
    ticket: str
    expires: date


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    known: tuple[_Entry, ...] = ()


class Unfit(Exception):
    """A file is no known.toml; the message says why."""


def parse_known(raw: bytes, checks: Iterable[str]) -> tuple[KnownBreach, ...]:
    """The entries in their order; `checks` are the names that there are. Raises `Unfit`."""
    try:
        entries = msgspec.convert(tomllib.loads(raw.decode()), _File).known
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as exc:
        raise Unfit(str(exc)) from exc
    names = set(checks)
    seen: set[tuple[str, str]] = set()
    for entry in entries:
        where = f"{entry.check} in {entry.scenario}"
        if entry.check == ASSUMPTIONS:
            raise Unfit(f"{ASSUMPTIONS} cannot be known: what was recorded carries a verdict or does not")
        if entry.check not in names:
            raise Unfit(f"there is no check {entry.check!r}; `harness list checks` names them")
        if not entry.ticket.strip():
            raise Unfit(f"{where} names no ticket")
        if (entry.check, entry.scenario) in seen:
            raise Unfit(f"{where} stands there twice")
        seen.add((entry.check, entry.scenario))
    return tuple(
        KnownBreach(check=entry.check, scenario=entry.scenario, ticket=entry.ticket.strip(), expires=entry.expires)
        for entry in entries
    )


def day_of(utc_ms: float) -> date:
    """The day, UTC, of an instant in ms since the epoch."""
    return datetime.fromtimestamp(utc_ms / 1_000, tz=UTC).date()


def soften(
    scenario: str, checks: Sequence[JudgedCheck], known: Iterable[KnownBreach], day: date
) -> tuple[JudgedCheck, ...]:
    """The same checks; what failed and is known on that day is KNOWN."""
    entries = {entry.check: entry for entry in known if entry.scenario == scenario and day <= entry.expires}
    return tuple(
        replace(judged, status=Status.KNOWN, known=entry, reason=f"{judged.reason}; known: {told(entry)}")
        if judged.status is Status.FAIL and (entry := entries.get(judged.check)) is not None
        else judged
        for judged in checks
    )


def told(breach: KnownBreach) -> str:
    """Ticket and last day."""
    return f"{breach.ticket}, until {breach.expires}"


def standings(known: Iterable[KnownBreach], scenarios: Iterable[ScenarioVerdict]) -> tuple[KnownEntry, ...]:
    """What became of each entry."""
    checks = {(each.scenario, judged.check): judged for each in scenarios for judged in each.checks}
    return tuple(KnownEntry(breach=breach, standing=_standing(breach, checks)) for breach in known)


def _standing(breach: KnownBreach, checks: Mapping[tuple[str, str], JudgedCheck]) -> Standing:
    judged = checks.get((breach.scenario, breach.check))
    if judged is None:
        return Standing.NOT_RUN
    stands = {Status.KNOWN: Standing.SOFTENED, Status.FAIL: Standing.EXPIRED, Status.PASS: Standing.HEALED}
    return stands.get(judged.status, Standing.UNSEEN)
