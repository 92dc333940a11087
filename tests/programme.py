"""Which scenes do tests read? The one list, so that whoever plays them knows them by the names of the tests."""

from tests.defects import ALONE, DEFECTS, SCENARIOS
from tests.lanes import Scene

FIRST = {caught.check: name for name, caught in reversed(DEFECTS.items())}
"""Check -> the first defect that the table has for it."""
BROKEN = {
    name: Scene(scenario=caught.scene, defect=name, alone=caught.alone)
    for name, caught in DEFECTS.items()
    if name in FIRST.values()
}
"""Defect -> the scene that catches it."""
FIXED = {
    name: Scene(scenario=name, alone=name in ALONE)
    for name in SCENARIOS
    if name not in {scene.scenario for scene in BROKEN.values()}
}
"""Scenario that no defect plays -> the fixed build's scene of it. All of them, with ten seeds, are `make proof`."""
READ_BY = "tests/scenes/"
"""Folder of the tests that read scenes; each ends in the scene's word in square brackets."""


def scenes_of(nodeids: list[str]) -> list[Scene]:
    """The scenes that these tests read, in their order; other tests read none."""
    words = (nodeid.partition("[")[2].removesuffix("]") for nodeid in nodeids if nodeid.startswith(READ_BY))
    return [(BROKEN | FIXED)[word] for word in words]
