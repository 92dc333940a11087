"""For each check the first of its defects is caught by it; the fixed build passes the scene that strikes everywhere.

All defects by themselves, with three seeds each, and the fixed build in every scene with ten, are `make proof`: there
are more than fit into the minutes of `make test`.
"""

import pytest

from tests.defects import DEFECTS
from tests.lanes import Outcomes, Played
from tests.live.calls import called, contradicted
from tests.programme import BROKEN, FIXED

pytestmark = pytest.mark.scene


@pytest.mark.parametrize("defect", BROKEN)
def test_a_defect_is_caught_by_its_check(defect: str, outcomes: Outcomes) -> None:
    played = outcomes.result(BROKEN[defect])
    judged = played.check(DEFECTS[defect].check)
    assert (judged.status, played.exit_code) == ("FAIL", 1), played.output
    assert judged.findings, played.output
    assert_told_alike(played)


@pytest.mark.parametrize("scenario", FIXED)
def test_the_fixed_build_passes(scenario: str, outcomes: Outcomes) -> None:
    played = outcomes.result(FIXED[scenario])
    assert played.exit_code == 0, played.output
    assert_told_alike(played)


def assert_told_alike(played: Played) -> None:
    """What was called broken while the scene went on its verdict calls so, and whoever looked on was told."""
    assert played.folder is not None
    assert played.verdict is not None
    assert list(contradicted(played.folder, played.verdict)) == []
    checks = {each.check for each in called(played.folder / played.scene.scenario)}
    assert [
        check for check in sorted(checks) if f"{played.scene.scenario} broken: {check}: " not in played.output
    ] == []
