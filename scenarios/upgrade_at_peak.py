"""The payment API is replaced at the busiest hour of the festival, when it has little room to spare."""

from harness import Customer, Objectives, Plan, Step, Upgrade, always_claimed


class UpgradeAtPeak(Customer):
    """Pay on the festival's evening, when everyone does, and when somebody chose to replace the payment service.

    The evening comes as a step to 1.4 times the base; some are told that the system
    is busy and come again. In the middle of it the next release takes over. The two
    explanations that were given, an overload and an upgrade, at once.
    """

    facts = ("F10", "F11", "F14", "F25")
    gate = Plan(
        load=Step(before_per_s=10, after_per_s=14, at_s=4, duration_s=20),
        settings={"payment_slots": 4, "payment_slot_ms": 250},
        faults=Upgrade("r2").between(6, 14),
        objectives=Objectives(success_ratio=0.95, success_ratio_in_fault=0.95),
        claims=always_claimed(120) | {"success_ratio": 90, "no_silence": 500, "canary_contained": 40},
    )
    scene = Plan(
        load=Step(before_per_s=5, after_per_s=7, at_s=1.5, duration_s=8),
        warmup_s=0.5,
        settings={"payment_slots": 2, "payment_slot_ms": 250},
        faults=Upgrade("r2").between(1, 6.5),
        objectives=Objectives(success_ratio=0.9, success_ratio_in_fault=0.9),
        claims=always_claimed(24) | {"success_ratio": 16, "no_silence": 100, "canary_contained": 10},
    )
