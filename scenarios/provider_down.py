"""One provider is gone, and comes back."""

from harness import Customer, Objectives, Plan, Refuse, Steady, always_claimed


class ProviderDown(Customer):
    """Alipay does not work, says the app at once, but your card does: and it does.

    The provider refuses connections. Its customers are told which methods work
    and pay by one of them; once it is back, everyone pays as before.
    """

    facts = ("F02", "F20")
    gate = Plan(
        load=Steady(rate_per_s=10, duration_s=30),
        faults=Refuse("alipay").between(5, 15),
        claims=always_claimed(152)
        | {"backup_channel": 30, "bulkhead": 30, "recovery_time": 60, "success_ratio": 120, "retry_amplification": 140},
    )
    scene = Plan(
        load=Steady(rate_per_s=8, duration_s=12.5),
        warmup_s=0.5,
        faults=Refuse("alipay").between(1.5, 4.5),
        objectives=Objectives(success_ratio=0.9, success_ratio_in_fault=0.9, bulkhead_drop=0.1, backup_ratio=0.8),
        windows={"recovered_ms": 2_000},
        claims=always_claimed(49) | {"backup_channel": 7, "recovery_time": 26},
    )
