"""Which promises can a run be held to? One promise, one file; all listed here by hand."""

from collections.abc import Mapping

from harness.checks.check import Check, Premise

__all__ = ["CHECKS", "Check", "Premise"]

_LISTED: tuple[Check, ...] = (
    # A promise about orders and money comes before one about how the target behaves.
)

CHECKS: Mapping[str, Check] = {check.name: check for check in _LISTED}
