"""The whole evening: a peak, a slow provider, an upgrade, and then nobody can pay."""

from harness import (
    Audience,
    Customer,
    Down,
    Objectives,
    Plan,
    PlantInBill,
    Returning,
    SlowAnswers,
    Step,
    Strangers,
    Upgrade,
    always_claimed,
)


class Incident(Customer):
    """Home from the festival, and no way to pay for the ride: not by WeChat Pay, not by Alipay, not by card.

    The evening comes as a step to 1.4 times the base. WeChat Pay grows slow, the API is upgraded in the middle of
    it, then all three providers are gone for seven seconds. Customers are told so, try every method, look at the
    status page and come back. Afterwards each has paid once or has the money back, and who was affected a voucher.
    """

    facts = ("F01", "F02", "F03", "F04", "F05", "F08", "F10", "F11", "F14", "F15", "F16", "F22", "F23", "F28", "F29")
    gate = Plan(
        load=Step(before_per_s=10, after_per_s=14, at_s=8, duration_s=46),
        warmup_s=2,
        faults=(
            *PlantInBill("all").between(4, 8),
            *SlowAnswers("wechat", by_ms=4_000).between(10, 17),
            *Upgrade("r2").between(11, 19),
            *Down("wechat", "alipay", "card").between(22, 29),
        ),
        # Capacity is the API's own: 1.7 times the evening's rate, so that those who come back all at once are told
        # "busy", and well below what two slow cores can serve.
        settings={"payment_slots": 6, "payment_slot_ms": 250},
        company=(
            Returning(count=20, start_s=23, end_s=28),
            Audience(reads=5, most_per_s=50),
            Strangers(every_nth=8),
        ),
        objectives=Objectives(success_ratio_in_fault=0.6),
        claims=always_claimed(250)
        | {
            "refund_in_window": 40,
            "compensated": 8,
            "affected_list": 8,
            "detection_time": 3,
            "no_stuck_order": 250,
            "fulfilled_once": 240,
            "legal_transitions": 250,
            "idempotent_reply": 40,
            "no_silence": 1_500,
            "success_ratio": 220,
            "announced": 2,
            "read_your_writes": 600,
            "owner_only": 60,
            "no_leak": 1_500,
        },
    )
    scene = Plan(
        load=Step(before_per_s=4, after_per_s=6, at_s=1, duration_s=9),
        warmup_s=0.5,
        faults=(
            *SlowAnswers("wechat", by_ms=2_500).between(1, 3),
            *Upgrade("r2").between(1.5, 5),
            *Down("wechat", "alipay", "card").between(5.5, 7.5),
        ),
        company=(Returning(count=4, start_s=5.5, end_s=7), Audience(reads=5, most_per_s=30)),
        objectives=Objectives(success_ratio=0.6, success_ratio_in_fault=0.6),
        claims=always_claimed(20) | {"no_stuck_order": 20, "no_silence": 100, "fulfilled_once": 15},
    )
