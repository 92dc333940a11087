"""Hand-written histories of orders released as the line of business that they were ordered as, or as another."""

from harness.recorder.rows import Inv
from tests.histories.builder import Journey, Run
from tests.histories.fulfilment_runs import asks_back, paid, pays


def released_as(line: str | None, order: str = "B") -> Run:
    """Order A was released as the ride that it was; `order` as this line."""
    run = paid("A", "B")
    for row in run.releases:
        if row["order"] == order:
            row["line"] = line
    return run


def released_as_another_line() -> Run:
    return released_as("food")


def released_late_and_as_another_line() -> Run:
    run = paid("A")
    pays(run, "B", 2.0, 8.0)
    run.releases[-1]["line"] = "supermarket"
    return run


def released_as_another_line_and_given_back_since() -> Run:
    """The customer had it back on request, as it was not what she had ordered."""
    run = paid("A")
    journey = pays(run, "B", 2.0)
    run.releases[-1]["line"] = "food"
    asks_back(run, journey, 12.5)
    return run


def known_from_a_list_only_and_released_as_another_line() -> Run:
    """No create was told the order's name; all that the customer asked for was a ride."""
    run = paid("A")
    journey = run.journey(2.0)
    journey.create(2.0, 2.1, None, outcome="info", ending="reset", http=None)
    journey.read(2.2, 2.3, "B", state="paid", amount_minor=1000, paid_minor=1000)
    run.books_order("B", journey, "paid", at=2.0)
    run.payment("B", "wechat", "B-1", "paid")
    run.ledger("wechat").captured(2.2, "B-1", "B", 1000)
    run.seen("B", journey)
    run.release(2.5, "B", line="food")
    return run


def released_without_a_line() -> Run:
    run = released_as(None)
    run.releases[0]["line"] = None
    return run


def released_in_words_of_its_own() -> Run:
    """Whoever releases calls a ride a trip, all along."""
    run = released_as("trip")
    run.releases[0]["line"] = "trip"
    return run


def one_without_a_line() -> Run:
    return released_as(None)


def ordered_twice_over_as_two_lines() -> Run:
    """One customer ordered by one intent first a meal, then a ride; neither create was told the order's name."""
    run = known_from_a_list_only_and_released_as_another_line()
    owner = next(row.user for row in run.orders if row.order == "B")
    number = next(row.journey for row in run.history if isinstance(row, Inv) and row.user == owner)
    Journey(run=run, number=number, user=owner, phase="steady", intent=number).create(
        1.9, 1.95, None, outcome="info", ending="reset", http=None, line="food"
    )
    return run
