"""When do journeys begin? (to be written)"""

from typing import Protocol


class Load(Protocol):
    """A rate profile; replaced by the real ones."""

    @property
    def duration_s(self) -> float: ...
