"""What does one line of `evidence/status.jsonl` say: one look at the status page?"""

import msgspec


class Sample(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One row of `evidence/status.jsonl`; instants are CLOCK_MONOTONIC, in ns."""

    sent_ns: int
    done_ns: int
    outcome: str
    ending: str
    http: int | None = None
    degraded: bool | None = None
    """None where the page could not be read."""
    methods: tuple[str, ...] = ()
    """That it names as not working."""
    since_utc_ms: int | None = None
    leaks: tuple[str, ...] = ()
    """What stood in the reply and must not leave the target, by kind."""
