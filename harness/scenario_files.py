"""What do the scenario files in a folder declare? Prints it as JSON: `python -m harness.scenario_files FOLDER`.

Loads the files as Locust itself does, so it is run as a child by whoever must
not import Locust (`harness.catalogue`).
"""

import sys
from pathlib import Path

import msgspec

from harness.catalogue import Entry, scenario_files
from harness.errors import ExitCode, UsageError


def catalogue(folder: Path) -> list[Entry]:
    """Describe every scenario in `folder`; raises UsageError where a file is broken or says too little."""
    from locust.util.load_locustfile import load_locustfile  # noqa: PLC0415  # 0.4 s that only this process pays

    from harness.customer import describe_all  # noqa: PLC0415  # the same

    files = scenario_files(folder)
    if not files:
        raise UsageError(f"no scenario files in {folder}; run this where the folder scenarios/ lies")
    classes: dict[str, type[object]] = {}
    for path in files:
        try:
            found, _ = load_locustfile(str(path))
        except Exception as error:
            raise UsageError(f"scenario file {path} cannot be loaded: {type(error).__name__}: {error}") from error
        classes.update(found)
    return [
        Entry(
            name=scenario.name,
            what=scenario.doc.splitlines()[0],
            facts=scenario.facts,
            seconds={size.value: plan.load.duration_s for size, plan in scenario.plans.items()},
            claims={size.value: tuple(sorted(plan.claims)) for size, plan in scenario.plans.items()},
        )
        for scenario in describe_all(classes.values())
    ]


def main() -> None:
    """Print the catalogue, or one line on standard error and exit code 2."""
    try:
        entries = catalogue(Path(sys.argv[1] if len(sys.argv) > 1 else "scenarios"))
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(int(ExitCode.USAGE))
    sys.stdout.buffer.write(msgspec.json.encode(entries))


if __name__ == "__main__":
    main()
