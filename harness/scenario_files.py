"""What do the scenario files in a folder declare? Prints it as JSON: `python -m harness.scenario_files FOLDER`.

With `--each FILE...` it tells of each file by itself, of broken ones why. Loads
the files as Locust itself does, so it is run as a child by whoever must not
import Locust (`harness.catalogue`).
"""

import contextlib
import io
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec

from harness.catalogue import Described, Entry, scenario_files
from harness.errors import ExitCode, UsageError


def catalogue(folder: Path) -> list[Entry]:
    """Describe every scenario in `folder`; raises UsageError where a file is broken or says too little."""
    files = scenario_files(folder)
    if not files:
        raise UsageError(f"no scenario files in {folder}; run this where that folder lies")
    classes: dict[str, type[object]] = {}
    for path in files:
        classes.update(_load(path))
    return _entries(classes.values())


def describe_each(paths: Iterable[Path]) -> list[Described]:
    """Describe the scenarios that each file defines, or say why it cannot be done."""
    found = []
    for path in paths:
        try:
            own = [cls for cls in _load(path).values() if cls.__module__ == path.stem]
            found.append(Described(path=str(path), entries=tuple(_entries(own))))
        except UsageError as error:
            found.append(Described(path=str(path), error=str(error)))
    return found


def _load(path: Path) -> dict[str, type[object]]:
    """User classes of a file by name; raises UsageError where it cannot be loaded."""
    from locust.util.load_locustfile import load_locustfile  # noqa: PLC0415  # 0.4 s that only this process pays

    try:
        found, _ = load_locustfile(str(path))
    except (Exception, SystemExit) as error:
        raise UsageError(f"scenario file {path} cannot be loaded: {type(error).__name__}: {error}") from error
    return dict(found)


def _entries(classes: Iterable[type[object]]) -> list[Entry]:
    from harness.customer import describe_all  # noqa: PLC0415  # imports Locust

    return [
        Entry(
            name=scenario.name,
            what=scenario.doc.splitlines()[0],
            facts=scenario.facts,
            seconds={size.value: plan.load.duration_s for size, plan in scenario.plans.items()},
            claims={size.value: tuple(sorted(plan.claims)) for size, plan in scenario.plans.items()},
        )
        for scenario in describe_all(classes)
    ]


def main() -> None:
    """Print what was asked for, or one line on standard error and exit code 2."""
    said: list[Entry] | list[Described]
    try:
        # What a scenario file prints while it is loaded is no part of the answer.
        with contextlib.redirect_stdout(io.StringIO()):
            if sys.argv[1:2] == ["--each"]:
                said = describe_each(map(Path, sys.argv[2:]))
            else:
                said = catalogue(Path(sys.argv[1] if len(sys.argv) > 1 else "scenarios"))
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(int(ExitCode.USAGE))
    sys.stdout.buffer.write(msgspec.json.encode(said))


if __name__ == "__main__":
    main()
