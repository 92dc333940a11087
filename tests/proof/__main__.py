"""What takes longer than the tests: `python -m tests.proof` (or `make proof`); goes on where it stopped.

python -m tests.proof --list
python -m tests.proof --only defects --only killing
python -m tests.proof --write-readme
"""

import argparse
import fnmatch
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.lanes import LANES, ROOT
from tests.proof.catalogue import every_item
from tests.proof.conclusions import digests, floor_lines, floors, seen_alone
from tests.proof.item import Item, NotProven, Proven, RunFacts
from tests.proof.readme import write_table
from tests.proof.runner import CodeChanged, brief, run_all, say
from tests.proof.store import Store, digest_of


def main(arguments: Sequence[str]) -> int:
    """Prove what was asked for; 0 where all of it is proven, else 1."""
    asked = parse(arguments)
    items = [item for item in every_item() if not asked.only or chosen(item, asked.only)]
    digest = digest_of(ROOT)
    store = Store(asked.state / "proof" / digest)
    if asked.list:
        known = store.read()
        for item in items:
            proven = known.get(item.name)
            word = "open" if proven is None else "proven" if proven.ok else "NOT PROVEN"
            write(f"{item.group:<10} {item.name:<44} {word}{'  alone' if item.alone else ''}")
        return 0
    if not items:
        write(f"nothing is called {', '.join(asked.only)}; --list shows what there is")
        return 2
    if asked.write_readme:
        return rewrite(ROOT / "README.md", store)
    try:
        return conclude(items, run_all(items, store, asked.lanes, still=lambda: digest_of(ROOT) == digest))
    except CodeChanged as exc:
        say(str(exc))
        return 1


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--only", action="append", default=[], help="a group, or a pattern of items' names")
    parser.add_argument("--list", action="store_true", help="list items, and which are proven by this very code")
    parser.add_argument("--lanes", type=int, default=LANES, help="items side by side (default %(default)s)")
    parser.add_argument("--write-readme", action="store_true", help="write the table of defects from stored results")
    parser.add_argument("--state", type=Path, default=ROOT / ".harness", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def chosen(item: Item, patterns: Iterable[str]) -> bool:
    """Whether a pattern names the item or its group."""
    return any(item.group == pattern or fnmatch.fnmatchcase(item.name, pattern) for pattern in patterns)


def rewrite(readme: Path, store: Store) -> int:
    """Write the table of defects; gives the exit code."""
    try:
        write_table(readme, all_runs(store.read()))
    except NotProven as exc:
        say(str(exc))
        return 1
    say(f"wrote the table of defects into {readme.name}")
    return 0


def all_runs(results: dict[str, Proven]) -> tuple[RunFacts, ...]:
    """Every run of every result."""
    return tuple(run for proven in results.values() for run in proven.runs)


def conclude(items: Sequence[Item], results: dict[str, Proven]) -> int:
    """Say what all of it showed; gives the exit code."""
    runs = all_runs(results)
    good = tell_groups(items, results)
    if any(item.group == "fixed" for item in items):
        holds, lines = digests(run for run in runs if run.size == "scene")
        good = good and holds
        tell("arrivals: ten seeds, ten digests; one seed, the same", lines)
    if any(item.group == "defects" for item in items):
        holds, lines = seen_alone(runs)
        good = good and holds
        tell("defects that a check sees alone", lines)
    if any(item.group in {"fixed", "gate", "nightly"} for item in items):
        wrong = list(floor_lines(floors(runs)))
        tell("floors: at least half of what the seeds yield, and never above it", wrong or ["all are"])
    say("PROVEN" if good else "NOT PROVEN")
    return 0 if good else 1


def tell_groups(items: Sequence[Item], results: dict[str, Proven]) -> bool:
    """A line a group, and one for each item that is not proven; gives whether all are."""
    groups: dict[str, list[Proven | None]] = defaultdict(list)
    for item in items:
        groups[item.group].append(results.get(item.name))
    lines, missing = [], []
    for group, found in groups.items():
        done = [proven for proven in found if proven is not None and proven.ok]
        seconds = sum(proven.seconds for proven in found if proven is not None)
        lines.append(f"{group:<12} {len(done):>3} of {len(found):>3} proven {seconds:>7.0f} s")
    for item in items:
        result = results.get(item.name)
        if result is None or not result.ok:
            missing.append(f"{item.name}: {'did not end' if result is None else brief(result.told)}")
    tell("summary", lines)
    if missing:
        tell("not proven", missing)
    singles = [result for item in items if (result := results.get(item.name)) is not None and not result.runs]
    if singles:
        tell("what the others showed", [f"{one.name}: {brief(one.told)}" for one in singles if one.ok])
    return not missing


def tell(title: str, lines: Iterable[str]) -> None:
    """A titled paragraph."""
    write("")
    write(title)
    for line in lines:
        write(f"  {line}")


def write(line: str) -> None:
    """One line on standard output."""
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
