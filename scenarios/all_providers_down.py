"""WeChat Pay, Alipay and the card acquirer are gone at the same time."""

from harness import Customer, Objectives, Plan, Refuse, Steady, always_claimed


class AllProvidersDown(Customer):
    """Nothing works, by whatever method, and the app says so at once instead of trying.

    All three refuse connections. Orders stay whole, nobody waits for an answer,
    and whoever is still there when the providers come back is paid for once.
    """

    facts = ("F01", "F02", "F03")
    gate = Plan(
        load=Steady(rate_per_s=10, duration_s=28),
        faults=Refuse("wechat", "alipay", "card").between(5, 11),
        objectives=Objectives(success_ratio_in_fault=0.9),
        claims=always_claimed(142)
        | {"no_silence": 500, "no_stuck_order": 140, "recovery_time": 60, "success_ratio": 110},
    )
    scene = Plan(
        load=Steady(rate_per_s=8, duration_s=10),
        warmup_s=0.5,
        faults=Refuse("wechat", "alipay", "card").between(1.5, 4),
        objectives=Objectives(success_ratio=0.9, success_ratio_in_fault=0.8),
        windows={"recovered_ms": 2_000},
        claims=always_claimed(40) | {"no_silence": 180, "no_stuck_order": 40, "recovery_time": 20},
    )
