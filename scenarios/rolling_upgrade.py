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
            *SlowAnswers("all", by_ms=800).between(8.5, 12.2),
            *LateNotices("all", by_ms=3_500).between(8.5, 12.2),
            *Upgrade("r2").between(9, 12),
        ),
        claims=always_claimed(100)
        | {"success_ratio": 80, "no_stuck_order": 100, "no_silence": 400, "canary_contained": 25},
    )
    scene = Plan(
        load=Steady(rate_per_s=7, duration_s=8),
        warmup_s=0.5,
        # From second 4.3 on nobody pays through the old release any more; what it has under way by then must last
        # until it is told to end: neither an answer, nor a query, nor a notice may settle it before.
        faults=(
            *SlowAnswers("all", by_ms=800).between(2.6, 5.4),
            *LateNotices("all", by_ms=2_500).between(2.6, 5.4),
            *Upgrade("r2").between(2.2, 5.2),
        ),
        objectives=Objectives(success_ratio=0.9, success_ratio_in_fault=0.9),
        claims=always_claimed(24)
        | {"success_ratio": 16, "no_stuck_order": 24, "no_silence": 100, "canary_contained": 10},
    )
