"""One provider becomes slow, and nothing else does."""

from harness import Customer, LateNotices, Objectives, Plan, SlowEdge, Steady, always_claimed


class SlowProvider(Customer):
    """Pay by card or Alipay as on any day, while WeChat Pay takes longer than anyone waits.

    The chain reaction that did not come: answers of one provider come a second
    and a half late, its notices later still. Its own customers are told which methods work and are paid
    by them; nobody else notices, and nobody is charged twice by the late ones.
    """

    facts = ("F02", "F13")
    gate = Plan(
        load=Steady(rate_per_s=10, duration_s=24),
        faults=(
            *SlowEdge("wechat", by_ms=1_500, jitter_ms=300).between(6, 16),
            *LateNotices("wechat", by_ms=2_500).between(6, 16),
        ),
        objectives=Objectives(success_ratio_in_fault=0.95),
        windows={"patience_ms": 6_000},
        claims=always_claimed(122) | {"bulkhead": 25, "backup_channel": 30, "success_ratio": 95, "no_stuck_order": 122},
    )
    scene = Plan(
        load=Steady(rate_per_s=8, duration_s=9),
        warmup_s=0.5,
        # Slow, and within the API's patience: so it is down for nobody, and takes up what it can get.
        faults=SlowEdge("wechat", by_ms=900, jitter_ms=50).between(2.5, 8),
        # How many are paid is not what this size is about, but how many less than before.
        objectives=Objectives(success_ratio=0.2, success_ratio_in_fault=0.2, bulkhead_drop=0.1),
        windows={"patience_ms": 3_000},
        claims=always_claimed(36) | {"bulkhead": 13},
    )
