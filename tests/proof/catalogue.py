"""What is there to prove? Every item, group by group."""

from collections.abc import Iterator

from tests.proof import behaviour, believing, detection, judging_again, killing, stopping, stories
from tests.proof.item import Item


def every_item() -> Iterator[Item]:
    """In the order in which they are told."""
    for module in (detection, judging_again, believing, stopping, behaviour, killing, stories):
        yield from module.items()
