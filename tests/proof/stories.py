"""What do tests show that stand elsewhere, and what must be done twenty times?"""

from collections.abc import Callable, Iterator

from tests.lanes import ROOT
from tests.proof.gates import run_tests
from tests.proof.item import Item, Room, Shown

TESTS = {
    "fifty-creates-with-one-key": (
        "tests/payment_api/test_idempotency.py::test_fifty_parallel_creates_with_one_key_make_one_order",
    ),
    "fifty-refunds-with-one-key": (
        "tests/payment_api/test_idempotency.py::test_fifty_parallel_refunds_with_one_key_make_one_refund",
        "tests/providers/test_ledger.py::test_fifty_refunds_at_once_with_one_number_are_one_refund",
    ),
    "refund-refused-because-nothing-is-left": (
        "tests/checks/test_money_stories.py::test_story_ends_as_it_must[refund_in_window-cries_wolf-a_refused_refund]",
    ),
    "ledger-outlives-a-kill": (
        "tests/providers/test_ledger.py::test_after_a_kill_every_row_is_there_and_what_was_planned_happens",
        "tests/providers/test_ledger.py::test_a_kill_under_load_leaves_no_gap_and_no_answer_without_its_effect",
    ),
}
"""Item -> node ids; promises of the API and the providers that their own tests show."""
LIFECYCLE = "tests/lifecycle"
LIFECYCLE_LIMIT_S = 900.0


def items() -> Iterator[Item]:
    """Tests by their node ids; those of starts, stops and ends as a whole, since they are few and long."""
    if any((ROOT / LIFECYCLE).glob("test_*.py")):
        yield Item(group="stories", name="lifecycle", prove=shown_by((LIFECYCLE,), LIFECYCLE_LIMIT_S), alone=True)
    for name, nodes in TESTS.items():
        yield Item(group="stories", name=name, prove=shown_by(nodes))


def shown_by(nodes: tuple[str, ...], limit_s: float = 240.0) -> Callable[[Room], Shown]:
    """The named tests pass."""

    def prove(room: Room) -> Shown:
        return Shown(told=run_tests(room, nodes, limit_s))

    return prove
