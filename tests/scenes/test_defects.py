"""For each check the first of its defects is caught by it; the fixed build passes every scene.

All defects, with three seeds each, are `make proof`: there are more than fit into the minutes of `make test`.
"""

import pytest

from tests.defects import ALONE, DEFECTS, SCENARIOS
from tests.lanes import Lanes, Scene

pytestmark = pytest.mark.scene

FIXED = [Scene(scenario=name, alone=name in ALONE) for name in SCENARIOS]
FIRST = {caught.check: name for name, caught in reversed(DEFECTS.items())}
"""Check -> the first defect that the table has for it."""
BROKEN = [
    Scene(scenario=caught.scene, defect=name, alone=caught.alone)
    for name, caught in DEFECTS.items()
    if name in FIRST.values()
]


@pytest.mark.parametrize("scene", BROKEN, ids=lambda scene: scene.defect)
def test_a_defect_is_caught_by_its_check(scene: Scene, lanes: Lanes) -> None:
    assert scene.defect is not None
    played = lanes.result(scene)
    judged = played.check(DEFECTS[scene.defect].check)
    assert (judged.status, played.exit_code) == ("FAIL", 1), played.output
    assert judged.findings, played.output


@pytest.mark.parametrize("scene", FIXED, ids=lambda scene: scene.scenario)
def test_the_fixed_build_passes(scene: Scene, lanes: Lanes) -> None:
    played = lanes.result(scene)
    assert played.exit_code == 0, played.output
