"""What was called broken while a run went on, and does its verdict call it so?"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from harness.live.state import Broken
from harness.verdict import Status, Verdict

_BROKEN = msgspec.json.Decoder(Broken)


def called(scenario: Path) -> tuple[Broken, ...]:
    """Breaches of one scenario of a run, in the order in which they were seen; raises OSError where nobody watched."""
    return tuple(_BROKEN.decode(line) for line in (scenario / "live.jsonl").read_bytes().splitlines())


def contradicted(run: Path, verdict: Verdict) -> Iterator[str]:
    """What the live judge said and the verdict does not, and why it said nothing where it did not last."""
    if said := (run / "logs" / "live.log").read_text():
        yield f"the live process ended with {said.splitlines()[-1]}"
    for scenario in verdict.scenarios:
        failed = {check.check for check in scenario.checks if check.status in {Status.FAIL, Status.KNOWN}}
        for broken in called(run / scenario.scenario):
            if broken.check not in failed:
                yield f"{scenario.scenario}: {broken.check} was called broken while it went on: {broken.message}"
