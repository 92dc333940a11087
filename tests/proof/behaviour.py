"""What is said of a target that refuses everybody politely, and of one that forgets what it acknowledged?"""

from collections.abc import Iterator
from pathlib import Path

from harness.verdict import Status
from tests.proof.gates import Gated, gate, own_scenario, wrong
from tests.proof.item import Item, Room, Shown, need
from tests.proof.small_shop import small_shop

PREFLIGHT_SALES = 3
"""One for each method, so that steady state holds before the load."""
ENOUGH = 1_000_000
FLOOR = 8
POLITE = f'''"""A shop with customers, and with nothing to sell."""

from harness import Customer, Plan, Steady


class Polite(Customer):
    """So sorry: sold out, by whichever method."""

    scene = Plan(
        load=Steady(rate_per_s=4, duration_s=8),
        warmup_s=0.5,
        claims={{"assumptions": 1, "no_vanished_order": 10, "success_ratio": {FLOOR}}},
    )
'''
FORGETFUL = '''"""The API is killed, and comes back with an empty database."""

from harness import Customer, Kill, Objectives, Plan, Steady


class Forgetful(Customer):
    """Order placed, receipt in hand, and nobody knows of it any more."""

    scene = Plan(
        load=Steady(rate_per_s=4, duration_s=8),
        warmup_s=0.5,
        faults=Kill("shop", restart_after_s=0.5).between(5, 6.5),
        objectives=Objectives(success_ratio=0.5, success_ratio_in_fault=0.5),
        claims={"assumptions": 1, "no_vanished_order": 10},
    )
'''
BOOKS = """
[[source]]
name = "shop"
kind = "books"
url = "{service.shop}"
clock = "utc"
"""


def items() -> Iterator[Item]:
    """Sold out from the first customer on, sold out after preflight, and an empty database after a restart."""
    yield Item(group="behaviour", name="sold-out-from-the-start", prove=refuses_from_the_start)
    yield Item(group="behaviour", name="sold-out-after-preflight", prove=refuses_politely)
    yield Item(group="behaviour", name="restarted-with-an-empty-database", prove=forgets)


def refuses_from_the_start(room: Room) -> Shown:
    """Exit 3: steady state does not hold."""
    gated = run(room, "Polite", POLITE, stock=0)
    need(gated.exit_code == 3, wrong(gated))
    cut_short = gated.verdict.cut_short or ""
    need("preflight" in cut_short, f"not stopped at preflight: {wrong(gated)}")
    return Shown(told=f"exit 3: {cut_short}")


def refuses_politely(room: Room) -> Shown:
    """Exit 3: nobody was declined wrongly, and nothing was shown either."""
    gated = run(room, "Polite", POLITE, stock=PREFLIGHT_SALES)
    judged = gated.check("Polite", "success_ratio")
    below = f"below the claimed floor of {FLOOR}"
    need(gated.exit_code == 3 and judged.status is Status.UNKNOWN and below in judged.reason, wrong(gated))
    others = [c.check for c in gated.scenario("Polite").checks if c.claimed is not None and c.status is not Status.PASS]
    need(others == ["success_ratio"], f"not the floor alone: {wrong(gated)}")
    return Shown(told=f"exit 3: success_ratio: {judged.reason}; {'; '.join(judged.notes)}")


def forgets(room: Room) -> Shown:
    """Exit 1 by no_vanished_order, naming orders that were acknowledged."""
    gated = run(room, "Forgetful", FORGETFUL, stock=ENOUGH)
    judged = gated.check("Forgetful", "no_vanished_order")
    need(gated.exit_code == 1 and judged.status is Status.FAIL, wrong(gated))
    named = [finding.subject for finding in judged.findings]
    need(bool(named), "no order is named")
    return Shown(told=f"exit 1: no_vanished_order: {judged.reason}; {judged.findings[0].message}")


def run(room: Room, scenario: str, source: str, *, stock: int) -> Gated:
    """A scene against the small shop."""
    return gate(
        room,
        *(scenario, "--size", "scene", "--seed", "1"),
        scenarios=own_scenario(room, source),
        target=target_file(room.folder, stock),
    )


def target_file(folder: Path, stock: int) -> Path:
    """A target file of a small shop with so many pieces to sell."""
    path = folder / "shop.toml"
    path.write_text(small_shop(stock=stock) + BOOKS)
    return path
