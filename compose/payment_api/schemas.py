"""Which schema version does a merchant's charge speak to a provider?

The newest that this release knows, but for merchants of whom the provider has said
that it is not enabled for them: theirs is the one that they are known to work
with. In memory only: a process that starts asks again, and is told again.
"""

from dataclasses import dataclass, field

from compose.payment_api.defects import Defect

OLDEST = 1
HEADER = "X-Schema-Version"


@dataclass(kw_only=True, slots=True)
class Schemas:
    """The version of every merchant, at one provider."""

    newest: int
    defects: frozenset[Defect]
    _held_back: set[str] = field(default_factory=set)

    def version(self, merchant: str) -> int:
        """What to speak for this merchant."""
        return OLDEST if merchant in self._held_back else self.newest

    def hold_back(self, merchant: str) -> bool:
        """The newest was refused for this merchant; False where there is no other to fall back to."""
        if Defect.NO_SCHEMA_FALLBACK in self.defects or self.version(merchant) == OLDEST:
            return False
        self._held_back.add(merchant)
        return True
