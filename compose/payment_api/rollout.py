"""What differs between the releases of this API?

r1 knows the first schema of an order; r2 knows a second one beside it, so that
old clients go on as they are. r2-bad is an r2 with a slip that tests did not find:
some seconds after its first payment, three of four end in an error before anything
is done. It must never reach more customers than a canary's share.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from compose.payment_api.errors import ApiError

UPGRADE_REQUIRED = 426


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """One release."""

    name: str
    new_schema: bool = False
    """Takes an order's amount as one object, too."""
    fails_after_s: float | None = None
    """So long after its first payment most of them fail."""


FIRST = "r1"
RELEASES: Mapping[str, Release] = MappingProxyType(
    {
        release.name: release
        for release in (
            Release(name=FIRST),
            Release(name="r2", new_schema=True),
            Release(name="r2-bad", new_schema=True, fails_after_s=5.0),
        )
    }
)
FAILS_OF = 4
"""All but one of so many payments fail, where a release fails."""


class Slip(Exception):
    """What a bad release trips over."""


class Wear:
    """How far a release has come to its slip."""

    def __init__(self, release: Release, now_s: Callable[[], float] = time.monotonic) -> None:
        self._fails_after_s = release.fails_after_s
        self._now_s = now_s
        self._first_s: float | None = None
        self._payments = 0

    def pays(self) -> None:
        """A payment begins; raises Slip, before anything is done, where this release fails."""
        if self._fails_after_s is None:
            return
        now_s = self._now_s()
        self._first_s = now_s if self._first_s is None else self._first_s
        if now_s >= self._first_s + self._fails_after_s:
            self._payments += 1
            if self._payments % FAILS_OF:
                raise Slip


def schema_refused(status: int = UPGRADE_REQUIRED) -> ApiError:
    """This release does not know the schema of the request."""
    return ApiError(status, "schema_unsupported", "This version of the API does not know this form of an order.")
