"""WeChat Pay takes the charge and never answers."""

from harness import Customer, LateNotices, Objectives, Plan, Silence, Steady, always_claimed


class SilentProvider(Customer):
    """Pay by WeChat Pay, and hear nothing: not a yes, not a no, not an error.

    The charge went through and its notice comes three seconds late. Whoever
    turns to another method meanwhile must not pay twice, and nobody waits
    longer than the answer limit for a word.
    """

    facts = ("F02", "F04", "F08", "F13")
    gate = Plan(
        load=Steady(rate_per_s=10, duration_s=22),
        faults=(
            *Silence("wechat", answers=True).between(6, 13),
            *LateNotices("wechat", by_ms=3_000).between(6, 13),
        ),
        objectives=Objectives(success_ratio_in_fault=0.95),
        claims=always_claimed(112) | {"success_ratio": 88, "no_silence": 500, "no_stuck_order": 112},
    )
    scene = Plan(
        load=Steady(rate_per_s=4, duration_s=8.5),
        warmup_s=0.5,
        faults=(
            *Silence("wechat", answers=True).between(1.5, 8),
            *LateNotices("wechat", by_ms=3_000).between(1.5, 8),
        ),
        objectives=Objectives(success_ratio=0.8, success_ratio_in_fault=0.8),
        claims=always_claimed(19) | {"no_silence": 85, "no_stuck_order": 19},
    )
