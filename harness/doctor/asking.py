"""How does `harness doctor` come to its answer?

    child (harness.doctor, on gevent): looks, orders, pays, refunds; a run's folder ─┐
    here, without gevent: every check is asked what it could make of it  <───────────┘

The folder is a temporary one. Signals are passed on; the child ends what it started before it ends itself.
"""

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from rich.console import Console

from harness.assignment import new_run_id
from harness.doctor.looks import SCENARIO_NAME, WIDTH, Asked
from harness.doctor.promises import Prognosis, Promise, Prospect, prognosis
from harness.errors import ExitCode
from harness.gate import die_with_us, signals_passed_to
from harness.progress import Progress, plain_lines

LOOKED = frozenset({ExitCode.PASS, ExitCode.UNDECIDED})
"""What the child exits with once it has looked at everything."""


def examine(
    target_file: Path, *, build: str, profile: str, port_base: int, allow_hosts: tuple[str, ...], console: Console
) -> ExitCode:
    """Look at a target, tell of each look and each promise, and say how it stands.

    PASS where every promise will be judged or is waived, BROKEN where one was seen broken, USAGE where the target
    cannot be reached, else UNDECIDED. The reference target takes about ten seconds.
    """
    with tempfile.TemporaryDirectory(prefix="harness-doctor-") as runs:
        asked = Asked(
            target_file=str(target_file),
            runs=runs,
            run_id=new_run_id(),
            build=build,
            profile=profile,
            port_base=port_base,
            allow_hosts=allow_hosts,
        )
        code, passed = _child(asked)
        if passed or code not in LOOKED:
            return code
        plain_lines()(Progress(scenario="", phase="checks", text="asking each what it could make of this"))
        told = prognosis(Path(runs) / asked.run_id / SCENARIO_NAME)
    for line in lines(told):
        console.print(line, markup=False, soft_wrap=True)
    return standing(code, told.promises)


def standing(looked: ExitCode, promises: Iterable[Promise]) -> ExitCode:
    """What all of it comes to; `looked` is how the looks went."""
    found = {promise.prospect for promise in promises}
    if Prospect.BROKEN in found:
        return ExitCode.BROKEN
    return ExitCode.UNDECIDED if found - {Prospect.JUDGED, Prospect.WAIVED} else looked


def _child(asked: Asked) -> tuple[ExitCode, bool]:
    """Run the child; its exit code, and whether it was passed a signal."""
    child = subprocess.Popen(
        [sys.executable, "-m", "harness.doctor", msgspec.json.encode(asked).decode()],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=die_with_us,  # noqa: PLW1509  # no threads run here
    )
    with signals_passed_to(child) as passed:
        code = child.wait()
    return ExitCode(code) if code in set(ExitCode) else ExitCode.HARNESS_FAILED, bool(passed)


def lines(told: Prognosis) -> Iterator[str]:
    """Premises that do not hold, each once, then every promise, then how many of each kind there are."""
    if told.missing:
        yield "\nwhat is missing"
    for missing in told.missing:
        yield from _line(missing.premise, missing.why, missing.way_out)
    yield "\npromises"
    for promise in told.promises:
        yield from _line(promise.check, f"{promise.prospect}: {promise.said}", promise.way_out)
    counts = Counter(promise.prospect for promise in told.promises)
    yield "\n" + ", ".join(f"{counts[prospect]} {prospect}" for prospect in Prospect if counts[prospect])


def _line(name: str, said: str, way_out: str) -> Iterator[str]:
    yield f"{'':7} {name:<{WIDTH}} {said}"
    if way_out:
        yield f"{'':7} {'':{WIDTH}} -> {way_out}"
