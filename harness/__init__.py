"""What a scenario file imports, and nothing else.

Names are resolved on first use (PEP 562), so that importing one inner module
does not import Locust. No inner module imports this one.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.arrivals import Poisson, Ramp, Stages, Steady, Step
    from harness.customer import Customer
    from harness.faults import (
        Canary,
        CutAnswers,
        Down,
        ErrorAnswers,
        ForgeNotices,
        Kill,
        LateCapture,
        LateNotices,
        LoseAnswers,
        LoseNotices,
        Pause,
        PlantInBill,
        Refuse,
        RefuseSchema,
        RepeatNotices,
        Silence,
        SlowAnswers,
        SlowEdge,
        Upgrade,
    )
    from harness.scenario import CLAIMED_ALWAYS, Audience, Cue, Objectives, Plan, Returning, Strangers, always_claimed

_HOME = {
    "Customer": "harness.customer",
    "Plan": "harness.scenario",
    "Objectives": "harness.scenario",
    "Cue": "harness.scenario",
    "Audience": "harness.scenario",
    "Returning": "harness.scenario",
    "Strangers": "harness.scenario",
    "CLAIMED_ALWAYS": "harness.scenario",
    "always_claimed": "harness.scenario",
    "Steady": "harness.arrivals",
    "Step": "harness.arrivals",
    "Ramp": "harness.arrivals",
    "Stages": "harness.arrivals",
    "Poisson": "harness.arrivals",
    "CutAnswers": "harness.faults",
    "Silence": "harness.faults",
    "SlowEdge": "harness.faults",
    "Down": "harness.faults",
    "ErrorAnswers": "harness.faults",
    "ForgeNotices": "harness.faults",
    "LoseAnswers": "harness.faults",
    "LoseNotices": "harness.faults",
    "LateNotices": "harness.faults",
    "RepeatNotices": "harness.faults",
    "Refuse": "harness.faults",
    "RefuseSchema": "harness.faults",
    "SlowAnswers": "harness.faults",
    "LateCapture": "harness.faults",
    "Kill": "harness.faults",
    "Pause": "harness.faults",
    "Upgrade": "harness.faults",
    "Canary": "harness.faults",
    "PlantInBill": "harness.faults",
}

__all__ = [  # the names of _HOME, spelled out for readers and type checkers
    "CLAIMED_ALWAYS",
    "Audience",
    "Canary",
    "Cue",
    "Customer",
    "CutAnswers",
    "Down",
    "ErrorAnswers",
    "ForgeNotices",
    "Kill",
    "LateCapture",
    "LateNotices",
    "LoseAnswers",
    "LoseNotices",
    "Objectives",
    "Pause",
    "Plan",
    "PlantInBill",
    "Poisson",
    "Ramp",
    "Refuse",
    "RefuseSchema",
    "RepeatNotices",
    "Returning",
    "Silence",
    "SlowAnswers",
    "SlowEdge",
    "Stages",
    "Steady",
    "Step",
    "Strangers",
    "Upgrade",
    "always_claimed",
]


def __getattr__(name: str) -> object:
    """Import the module where `name` lives and hand the name over."""
    if name not in _HOME:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
