"""What many runs show together is drawn from their results alone."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from harness.checks import CHECKS
from tests.defects import DEFECTS
from tests.proof.catalogue import every_item
from tests.proof.conclusions import NO_CASES, digests, floor_lines, floors, seen_alone
from tests.proof.detection import DEFECT_SEEDS, FIXED_SEEDS
from tests.proof.item import Item, JudgedFacts, NotProven, Room, RunFacts, Shown, need
from tests.proof.readme import BEGIN, END, table, write_table
from tests.proof.runner import prove
from tests.proof.store import Store, digest_of

Judged = tuple[str, int | None, int]
"""Status, floor, decided."""


def ran(seed: int, *, digest: str = "", defect: str | None = None, **decided: Judged) -> RunFacts:
    return run_of(seed, decided, digest=digest, defect=defect)


def run_of(seed: int, decided: dict[str, Judged], *, digest: str = "", defect: str | None = None) -> RunFacts:
    return RunFacts(
        scenario="S",
        size="scene",
        seed=seed,
        defect=defect,
        arrival_digest=digest or f"digest-{seed}",
        checks={
            name: JudgedFacts(status=status, claimed=claimed, decided=count)
            for name, (status, claimed, count) in decided.items()
        },
    )


def test_ten_seeds_with_ten_digests_and_one_seed_twice_are_shown() -> None:
    holds, lines = digests([*(ran(seed) for seed in FIXED_SEEDS), ran(1, defect="late")])
    assert holds
    assert lines == [
        "yes S (scene): 10 seeds gave 10 digests; 1 runs repeated a seed, each with the same",
    ]


@pytest.mark.parametrize(
    "runs",
    [
        [],
        [ran(seed) for seed in FIXED_SEEDS],
        [*(ran(seed) for seed in FIXED_SEEDS[1:]), ran(2)],
        [*(ran(seed) for seed in FIXED_SEEDS), ran(1, digest="another")],
        [*(ran(seed, digest="all the same") for seed in FIXED_SEEDS), ran(1, digest="all the same")],
    ],
    ids=["no runs", "no seed twice", "nine seeds", "one seed, two digests", "ten seeds, one digest"],
)
def test_anything_less_is_not_shown(runs: list[RunFacts]) -> None:
    assert not digests(runs)[0]


def test_a_floor_is_held_against_the_least_that_any_seed_of_the_fixed_build_yields() -> None:
    runs = [
        ran(1, low=("PASS", 4, 10), high=("UNKNOWN", 30, 20), good=("PASS", 5, 10), free=("NOT_EXERCISED", None, 3)),
        ran(2, low=("PASS", 4, 9), high=("PASS", 30, 31), good=("PASS", 5, 9)),
        ran(1, defect="d", low=("FAIL", 4, 1)),
    ]
    assert list(floor_lines(floors(runs))) == [
        "S (scene) high: floor 30 is above what there is; 2 seeds yield at least 20, so 10",
        "S (scene) low: floor 4 is below half; 2 seeds yield at least 9, so 5",
    ]


def whole() -> list[RunFacts]:
    runs = []
    for defect, caught in DEFECTS.items():
        for seed in DEFECT_SEEDS:
            decided: dict[str, Judged] = {caught.check: ("FAIL", 1, 1), "idle": ("PASS", 1, 1)}
            if seed == 1:
                decided["latency_too"] = ("FAIL", None, 1)
            runs.append(run_of(seed, decided, defect=defect))
    return runs


def test_the_table_names_every_defect_and_what_else_fired(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n\n{BEGIN}\nold\n{END}\n\nafter {END}\n")
    write_table(readme, whole())
    once = readme.read_text()
    write_table(readme, reversed(whole()))
    assert readme.read_text() == once
    assert once.startswith(f"before\n\n{BEGIN}\n| defect |")
    assert once.endswith(f"|\n{END}\n\nafter {END}\n")
    assert once.count("\n|") == len(DEFECTS) + 2
    assert "| LateCharge | `refund_in_window` | `latency_too` (1 of 3) |" in once


def test_there_is_no_table_before_every_defect_has_run_with_every_seed() -> None:
    lines = dict.fromkeys(DEFECTS, "does wrong")
    with pytest.raises(NotProven, match="no_deadline"):
        table((run for run in whole() if (run.defect, run.seed) != ("no_deadline", 2)), lines)


def test_the_digest_changes_with_any_file_of_the_code_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "harness" / "__pycache__").mkdir(parents=True)
    (tmp_path / "harness" / "one.py").write_text("1")
    before = digest_of(tmp_path)
    (tmp_path / "harness" / "__pycache__" / "one.pyc").write_text("compiled")
    (tmp_path / "README.md").write_text("words")
    assert digest_of(tmp_path) == before
    (tmp_path / "harness" / "one.py").write_text("2")
    assert digest_of(tmp_path) != before


def shows(_: Room) -> Shown:
    return Shown(told="so it is", runs=(ran(1, check=("PASS", 1, 2)),))


def refutes(_: Room) -> Shown:
    need(holds=False, otherwise="it is otherwise")
    return Shown(told="never")


def crashes(_: Room) -> Shown:
    raise LookupError("nowhere")


@pytest.mark.parametrize(
    ("prove_it", "ok", "told"),
    [(shows, True, "so it is"), (refutes, False, "it is otherwise"), (crashes, False, "LookupError: nowhere")],
)
def test_what_an_item_showed_is_kept(prove_it: Callable[[Room], Shown], ok: bool, told: str, tmp_path: Path) -> None:
    proven = prove(Item(group="g", name="n", prove=prove_it), tmp_path / "room", "postgresql://nowhere")
    store = Store(tmp_path / "store")
    store.write(proven)
    assert store.read() == {"n": proven}
    assert (proven.ok, proven.told, bool(proven.runs)) == (ok, told, ok)


def test_every_item_has_a_name_of_its_own() -> None:
    names = [item.name for item in every_item()]
    assert len(set(names)) == len(names)


def test_a_check_sees_a_defect_alone_where_no_other_fails_whatever_the_seed() -> None:
    def runs_of(check: str, *also: str, seeds: Sequence[int] = DEFECT_SEEDS) -> list[RunFacts]:
        fails: dict[str, Judged] = {check: ("FAIL", 1, 1)}
        return [
            run_of(seed, fails | {name: ("FAIL", 1, 1) for name in also if seed == seeds[-1]}, defect=f"of {check}")
            for seed in seeds
        ]

    wanted = sorted(set(CHECKS) - NO_CASES)
    whole = [run for check in wanted for run in runs_of(check)]
    holds, lines = seen_alone(whole)
    assert holds
    assert lines == [f"yes {check}: of {check}" for check in wanted]
    rest = [run for check in wanted[1:] for run in runs_of(check)]
    for weaker in (runs_of(wanted[0], wanted[1]), runs_of(wanted[0], seeds=DEFECT_SEEDS[:-1]), []):
        holds, lines = seen_alone([*weaker, *rest])
        assert not holds
        assert lines[0] == f"NO  {wanted[0]}: others see its defects too"
