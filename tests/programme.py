"""Which scenes do tests read? The one list, so that whoever plays them knows them by the names of the tests.

Of each check the first of its defects is played. Those of one scenario share a scene, as long as none hides what
another does: a scene costs the same, however much is wrong in it. That each defect is caught by itself, and that the
fixed build passes every scenario, is `make proof`.
"""

from collections import defaultdict
from collections.abc import Iterable

from tests.defects import DEFECTS
from tests.lanes import Scene

FIRST = {caught.check: name for name, caught in reversed(DEFECTS.items())}
"""Check -> the first defect that the table has for it."""
APART = frozenset({"congestion_collapse", "abandon_on_unknown"})
"""Hide what other defects of their scenario do."""
READ_BY = "tests/scenes/"
"""Folder of the tests that read scenes; each ends in the scene's word in square brackets."""


def _broken(defects: Iterable[str]) -> dict[str, Scene]:
    """Defect -> the scene that it is switched on in."""
    sharing = defaultdict(list)
    for name in sorted(defects):
        caught = DEFECTS[name]
        sharing[caught.scene, caught.alone, name if name in APART else ""].append(name)
    return {
        name: Scene(scenario=scenario, defects=tuple(names), alone=alone)
        for (scenario, alone, _), names in sharing.items()
        for name in names
    }


BROKEN = _broken(FIRST.values())
FIXED = {"Incident": Scene(scenario="Incident", alone=True)}
"""Scenario -> the fixed build's scene of it: the one that strikes everywhere."""


def scenes_of(nodeids: list[str]) -> list[Scene]:
    """The scenes that these tests read, in their order; other tests read none."""
    words = (nodeid.partition("[")[2].removesuffix("]") for nodeid in nodeids if nodeid.startswith(READ_BY))
    return [(BROKEN | FIXED)[word] for word in words]
