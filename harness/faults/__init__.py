"""Which faults are there? One line each, listed by hand; a constructor stands beside its driver.

A new fault is a constructor and a branch in its driver's file, a line here, and
a test of its effect and its end.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from harness.faults.process import Kill, Pause
from harness.faults.provider import (
    ErrorAnswers,
    ForgeNotices,
    LateCapture,
    LateNotices,
    LoseAnswers,
    LoseNotices,
    PlantInBill,
    RefuseSchema,
    RepeatNotices,
    SlowAnswers,
)
from harness.faults.refusing import Refuse
from harness.faults.toxics import CutAnswers, Down, Silence, SlowEdge
from harness.faults.upgrade import Canary, Upgrade
from harness.scenario import Driver, Faults

__all__ = [
    "FAULTS",
    "Canary",
    "CutAnswers",
    "Down",
    "ErrorAnswers",
    "FaultKind",
    "ForgeNotices",
    "Kill",
    "LateCapture",
    "LateNotices",
    "LoseAnswers",
    "LoseNotices",
    "Pause",
    "PlantInBill",
    "Refuse",
    "RefuseSchema",
    "RepeatNotices",
    "Silence",
    "SlowAnswers",
    "SlowEdge",
    "Upgrade",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class FaultKind:
    """One entry of `harness list faults`."""

    driver: Driver
    line: str
    make: Callable[..., Faults]
    """The constructor that scenario files call."""


FAULTS: Mapping[str, FaultKind] = MappingProxyType(
    {
        "cut_answers": FaultKind(
            driver=Driver.NETWORK, line="answers on an edge are cut; the work was done", make=CutAnswers
        ),
        "silence": FaultKind(
            driver=Driver.NETWORK, line="answers, or requests, on an edge vanish; connections stay open", make=Silence
        ),
        "slow_edge": FaultKind(driver=Driver.NETWORK, line="answers on an edge come late", make=SlowEdge),
        "down": FaultKind(
            driver=Driver.NETWORK, line="what an edge leads to is gone: connections end, nothing arrives", make=Down
        ),
        "refuse": FaultKind(
            driver=Driver.NETWORK, line="nobody listens on an edge: connections are refused", make=Refuse
        ),
        "slow_answers": FaultKind(
            driver=Driver.PROVIDER, line="a provider answers late, after the effect or before it", make=SlowAnswers
        ),
        "lose_answers": FaultKind(
            driver=Driver.PROVIDER, line="a provider never answers, after the effect or instead of it", make=LoseAnswers
        ),
        "error_answers": FaultKind(
            driver=Driver.PROVIDER,
            line="a provider answers that it is in trouble, instead of the effect or behind it",
            make=ErrorAnswers,
        ),
        "refuse_schema": FaultKind(
            driver=Driver.PROVIDER,
            line="a provider refuses some merchants' charges for the schema version that they speak",
            make=RefuseSchema,
        ),
        "late_capture": FaultKind(
            driver=Driver.PROVIDER, line="a charge is captured late, even if it was closed meanwhile", make=LateCapture
        ),
        "lose_notices": FaultKind(
            driver=Driver.PROVIDER, line="a provider's notices are lost with all their repeats", make=LoseNotices
        ),
        "late_notices": FaultKind(driver=Driver.PROVIDER, line="a provider's notices come late", make=LateNotices),
        "forge_notices": FaultKind(
            driver=Driver.PROVIDER,
            line="charges are never captured, and forged notices say that they were",
            make=ForgeNotices,
        ),
        "repeat_notices": FaultKind(
            driver=Driver.PROVIDER, line="a provider repeats its notices, also out of order", make=RepeatNotices
        ),
        "plant_in_bill": FaultKind(
            driver=Driver.PROVIDER,
            line="a provider's bill lacks one capture and has one that never was",
            make=PlantInBill,
        ),
        "kill": FaultKind(
            driver=Driver.PROCESS, line="SIGKILL to a service, at an instant or a cue; then a restart", make=Kill
        ),
        "pause": FaultKind(driver=Driver.PROCESS, line="SIGSTOP to a service, for a while", make=Pause),
        "upgrade": FaultKind(
            driver=Driver.PROCESS, line="another release takes the users over, and the old one drains", make=Upgrade
        ),
        "canary": FaultKind(
            driver=Driver.PROCESS,
            line="another release gets a share of the users, until it is rolled back",
            make=Canary,
        ),
    }
)
