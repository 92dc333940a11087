"""The payment API's database becomes slow, then it is gone, then it is back."""

from harness import Customer, Down, Objectives, Plan, SlowEdge, Steady, always_claimed


class DatabaseTrouble(Customer):
    """Slow at first, then "try again in a moment", then paid for: nothing ordered is lost.

    Every statement takes a twentieth of a second longer, then the database cannot be
    reached at all. Customers are answered in time all the while, what they were told
    stays true, and once it is back everything goes on by itself, releases too.
    """

    facts = ("F03", "F05", "F08", "F09")
    gate = Plan(
        load=Steady(rate_per_s=10, duration_s=20),
        faults=(*SlowEdge("database", by_ms=50).between(5, 8), *Down("database").between(8.7, 12)),
        objectives=Objectives(success_ratio_in_fault=0.8),
        claims=always_claimed(102)
        | {"success_ratio": 90, "no_silence": 500, "no_stuck_order": 102}
        | {"fulfilled_once": 85, "legal_transitions": 102},
    )
    scene = Plan(
        load=Steady(rate_per_s=4, duration_s=8),
        warmup_s=0.5,
        faults=(*SlowEdge("database", by_ms=50).between(1.3, 2.6), *Down("database").between(3.3, 5.3)),
        objectives=Objectives(success_ratio=0.8, success_ratio_in_fault=0.7),
        claims=always_claimed(18)
        | {"no_silence": 80, "no_stuck_order": 18, "fulfilled_once": 15, "legal_transitions": 18},
    )
