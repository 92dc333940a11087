"""Are builds and defects the target's own, and slips told with what was probably meant?"""

from pathlib import Path

import pytest

from harness.errors import TargetFileError, UsageError
from harness.stack.builds import Builds, Chosen, list_builds, resolve_defects
from harness.targets.file import REFERENCE, TargetFile, load_target
from tests.stack.small import HEAD, edge

ANSWER = '{"defects": {"no_refund": "keeps the money", "no_row": "writes nothing"}, "builds": {"bad": ["no_row"]}}'


def target(folder: Path, command: str | None) -> TargetFile:
    path = folder / "t.toml"
    braced = (command or "").replace("{", "{{").replace("}", "}}")
    defects = "" if command is None else f"[defects]\ncommand = ['sh', '-c', '''{braced}''']\n"
    path.write_text(HEAD + defects + edge("customer", "127.0.0.1:9"))
    return load_target(path)


def test_a_target_says_itself_which_builds_and_defects_it_has(tmp_path: Path) -> None:
    asked = target(tmp_path, f"echo '{ANSWER}'")
    assert list_builds(asked) == Builds(
        defects={"no_refund": "keeps the money", "no_row": "writes nothing"},
        builds={"fixed": (), "bad": ("no_row",)},
    )
    chosen = resolve_defects(asked, "bad", ["no_row", "no_refund", "no_row"])
    assert chosen == Chosen(build="bad", defects=("no_refund", "no_row"))


@pytest.mark.parametrize(
    ("build", "names", "message"),
    [
        ("fixed", ["no_refnd"], r"unknown defect 'no_refnd' of target small; did you mean no_refund"),
        ("fixed", ["xyz"], r"unknown defect 'xyz' of target small; there are: no_refund, no_row"),
        ("bda", [], r"unknown build 'bda' of target small; did you mean bad\?"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest(tmp_path: Path, build: str, names: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        resolve_defects(target(tmp_path, f"echo '{ANSWER}'"), build, names)


def test_a_target_without_defects_is_fixed_and_nothing_else(tmp_path: Path) -> None:
    none = target(tmp_path, None)
    assert resolve_defects(none, "fixed", []) == Chosen(build="fixed", defects=())
    with pytest.raises(UsageError, match="has no defect no_row: its file"):
        resolve_defects(none, "fixed", ["no_row"])
    with pytest.raises(UsageError, match="has no build bad: its file"):
        resolve_defects(none, "bad", [])


@pytest.mark.parametrize(
    ("command", "message"),
    [("echo oops >&2; exit 3", "ended with code 3: oops"), ("echo {}", "its output is not"), ("echo x", "is not")],
)
def test_a_command_that_fails_is_told(tmp_path: Path, command: str, message: str) -> None:
    with pytest.raises(TargetFileError, match=message):
        list_builds(target(tmp_path, command))


def test_the_reference_declares_its_defects_and_the_builds_fixed_and_incident() -> None:
    builds = list_builds(load_target(REFERENCE))
    assert builds.builds["fixed"] == ()
    assert set(builds.builds["incident"]) <= set(builds.defects)
    assert builds.builds["incident"]
