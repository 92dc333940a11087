"""After an upgrade some merchants' payments are refused at the providers' edge."""

from harness import Customer, Objectives, Plan, RefuseSchema, Steady, always_claimed

MERCHANTS = "ride-1,ride-2,ride-3,food-1,food-2,food-3,supermarket-1,supermarket-2,supermarket-3"
"""Three of five in each line of business."""


class InterceptedMerchants(Customer):
    """The same app, the same card, and at some merchants no payment goes through.

    The upgraded API speaks a new schema version, and the providers refuse it for
    merchants whom nobody has enabled for it: definitely, and without effect. Their
    customers are charged in the version that worked before, and nobody twice.
    """

    facts = ("F12", "F25")
    gate = Plan(
        load=Steady(rate_per_s=10, duration_s=20),
        faults=RefuseSchema("all", version=2, merchants=MERCHANTS).between(4, 17),
        settings={"schema_version": 2},
        claims=always_claimed(102) | {"success_ratio": 80, "retry_amplification": 100},
    )
    scene = Plan(
        load=Steady(rate_per_s=6, duration_s=8),
        warmup_s=0.5,
        faults=RefuseSchema("all", version=2, merchants=MERCHANTS).between(2.5, 7.5),
        objectives=Objectives(success_ratio=0.9, success_ratio_in_fault=0.85, charges_rise=1.0),
        windows={"patience_ms": 3_000},
        settings={"schema_version": 2},
        claims=always_claimed(24) | {"success_ratio": 18, "retry_amplification": 20},
    )
