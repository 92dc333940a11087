"""More customers than the payment API has room for, with every provider healthy."""

from harness import Customer, Objectives, Plan, Ramp, Returning, Stages, Steady, always_claimed

OVERLOADED = Objectives(success_ratio=0.1, emergency_ratio=0.9, latency_share=0.9)
"""Success is not what an overloaded API can be asked for: goodput, clear answers and an open emergency path are."""


class Overload(Customer):
    """Told "system busy, come again": clearly, at once, with the order still there.

    Twice as many pay as there is room for. Who is refused is told so within a
    second, those admitted are paid, and who paid before can look at the order
    and gets money back as on any other day.
    """

    facts = ("F03", "F10", "F17", "F19", "F30")
    gate = Plan(
        load=Stages(
            stages=(
                Steady(rate_per_s=6, duration_s=6),
                Ramp(from_per_s=6, to_per_s=17, duration_s=4),
                Steady(rate_per_s=17, duration_s=8),
                Steady(rate_per_s=3, duration_s=12),
            )
        ),
        settings={"payment_slots": 2, "payment_slot_ms": 250},
        company=(Returning(count=30, start_s=9, end_s=17),),
        objectives=OVERLOADED,
        claims=always_claimed(95)
        | {"busy_is_clear": 300, "priority": 200, "goodput": 85, "emergency_path": 85, "no_silence": 900},
    )
    scene = Plan(
        load=Stages(
            stages=(
                Steady(rate_per_s=3, duration_s=4),  # long enough to see it keep up
                Steady(rate_per_s=9, duration_s=4),
                Steady(rate_per_s=2, duration_s=3.5),
            )
        ),
        warmup_s=0.5,
        settings={"payment_slots": 1, "payment_slot_ms": 250},
        company=(Returning(count=5, start_s=4.5, end_s=7.5),),
        objectives=OVERLOADED.but(goodput_share=0.6),  # four seconds: some 16 payments
        windows={"recovered_ms": 2_000},
        claims=always_claimed(23)
        | {"busy_is_clear": 40, "priority": 45, "goodput": 18, "emergency_path": 18, "no_silence": 150},
    )
