"""What is there to prove? Every item, group by group."""

from collections.abc import Iterator

from tests.proof import behaviour, believing, by_hand, detection, judging_again, killing, stopping, stories
from tests.proof.item import Item


def every_item() -> Iterator[Item]:
    """In the order in which they are told."""
    for module in (detection, judging_again, believing, stopping, behaviour, killing, by_hand, stories):
        yield from module.items()
