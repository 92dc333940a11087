"""No method works, and who has paid can still look, and ask for the money back."""

from harness import Customer, Objectives, Plan, Returning, Silence, Steady, always_claimed


class EmergencyPath(Customer):
    """Nobody can pay by anything; whoever has paid comes back, looks, and asks for half of it.

    All three providers are silent. Payments are turned away or stay unresolved,
    the status page names all of them and takes it back when they answer again;
    reading and asking for refunds stay as quick as ever meanwhile.
    """

    facts = ("F02", "F19", "F22", "F23")
    gate = Plan(
        # Half the base rate: who cannot pay tries six times, and all of it is resolved in the moment of recovery.
        load=Steady(rate_per_s=5, duration_s=24),
        faults=Silence("wechat", "alipay", "card", answers=False).between(7, 13),
        company=(Returning(count=20, start_s=8, end_s=12.5),),
        objectives=Objectives(success_ratio_in_fault=0.6, emergency_ratio=0.95),
        claims=always_claimed(60)
        | {"announced": 3, "success_ratio": 50, "no_silence": 300, "no_stuck_order": 60, "emergency_path": 34},
    )
    scene = Plan(
        load=Steady(rate_per_s=5, duration_s=9),
        warmup_s=0.5,
        faults=Silence("wechat", "alipay", "card", answers=False).between(2.5, 8.5),
        company=(Returning(count=8, start_s=4, end_s=8),),
        objectives=Objectives(success_ratio=0.5, success_ratio_in_fault=0.5, emergency_ratio=0.8),
        claims=always_claimed(20) | {"announced": 3, "no_silence": 90, "no_stuck_order": 20, "emergency_path": 14},
    )
