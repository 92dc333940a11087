"""The payment API is replaced by its next release while customers pay."""

from harness import Customer, LateNotices, Objectives, Plan, SlowAnswers, Steady, Upgrade, always_claimed


class RollingUpgrade(Customer):
    """Pay in the very minute in which the payment service is replaced, and notice nothing.

    The next release starts beside the old one, takes a quarter of the users over,
    then all, and the old one is told to end while providers are slow, so with
    payments under way. Old clients speak as before; the new release understands.
    """

    facts = ("F11", "F25")
    gate = Plan(
        load=Steady(rate_per_s=10, duration_s=20),
        faults=(
            *SlowAnswers("all", by_ms=500).between(9, 12.2),
            *LateNotices("all", by_ms=1_500).between(9, 12.2),
            *Upgrade("r2").between(4, 12),
        ),
        claims=always_claimed(100)
        | {"success_ratio": 80, "no_stuck_order": 100, "no_silence": 400, "canary_contained": 25},
    )
    scene = Plan(
        load=Steady(rate_per_s=6, duration_s=8),
        warmup_s=0.5,
        faults=(
            *SlowAnswers("all", by_ms=500).between(4, 6.2),
            # Else a notice overtakes the answer, and nothing is under way when the old release is told to end.
            *LateNotices("all", by_ms=1_500).between(4, 6.2),
            *Upgrade("r2").between(0.5, 6),
        ),
        objectives=Objectives(success_ratio=0.9, success_ratio_in_fault=0.9),
        claims=always_claimed(24)
        | {"success_ratio": 16, "no_stuck_order": 24, "no_silence": 100, "canary_contained": 10},
    )
