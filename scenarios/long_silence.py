"""Two providers are silent for so long that orders run out of time."""

from harness import Customer, LoseNotices, Objectives, Plan, PlantInBill, Silence, Steady, always_claimed


class LongSilence(Customer):
    """Half an hour at the counter, and no word: then the order is gone, and the money with it.

    WeChat Pay and Alipay take the charge and say nothing until the order has run out of time. What they
    took goes back unasked, and everyone who was left waiting gets a voucher and stands on the list.
    """

    facts = ("F08", "F15", "F16", "F28")
    gate = Plan(
        load=Steady(rate_per_s=10, duration_s=22),
        faults=(
            *Silence("wechat", "alipay", answers=True).between(5, 14),
            *LoseNotices("wechat", "alipay").between(5, 14),
            *PlantInBill("card").between(2, 5),
        ),
        windows={"pay_by_ms": 6_000},
        # The breaker would spare most of them the wait, and this is about those who were not spared.
        settings={"breaker_failures": 40},
        # Who waits for a result that nobody knows cannot be sent to another method.
        objectives=Objectives(success_ratio_in_fault=0.3, backup_ratio=0.2),
        claims=always_claimed(110)
        | {"compensated": 20, "affected_list": 20, "refund_in_window": 20, "no_silence": 400, "detection_time": 2},
    )
    scene = Plan(
        load=Steady(rate_per_s=4, duration_s=8),
        warmup_s=0.5,
        faults=(
            *Silence("wechat", "alipay", answers=True).between(1, 7.5),
            *LoseNotices("wechat", "alipay").between(1, 7.5),
        ),
        windows={"pay_by_ms": 4_000, "refund_ms": 6_000},
        settings={"breaker_failures": 40},
        objectives=Objectives(success_ratio=0.8, success_ratio_in_fault=0.2, backup_ratio=0.1),
        claims=always_claimed(16) | {"compensated": 4, "affected_list": 4, "refund_in_window": 6, "no_silence": 60},
    )
