"""The payment API dies between a charge and its answer."""

from harness import Cue, Customer, Kill, Objectives, Plan, SlowAnswers, Steady, Strangers, always_claimed


class ApiKilled(Customer):
    """Order placed, receipt in hand, and the API is gone a moment later.

    SIGKILL within 50 ms of an acknowledged order, while providers have charged
    and not yet answered. After the restart every order is there, every charge
    belongs to one, and customers carry on with the keys that they had.
    """

    facts = ("F05", "F11")
    gate = Plan(
        load=Steady(rate_per_s=10, duration_s=18),
        company=(Strangers(),),
        faults=(
            *SlowAnswers("all", by_ms=600).between(6, 8.2),
            *Kill("api", cue=Cue.ACKNOWLEDGED_CREATE, restart_after_s=0.5).between(8, 9.5),
        ),
        objectives=Objectives(success_ratio_in_fault=0.9),
        claims=always_claimed(92)
        | {"success_ratio": 80, "no_stuck_order": 100, "no_leak": 460, "owner_only": 58, "read_your_writes": 180}
        | {"fulfilled_once": 78, "legal_transitions": 92},
    )
    scene = Plan(
        load=Steady(rate_per_s=6, duration_s=8),
        company=(Strangers(),),
        warmup_s=0.5,
        faults=(
            *SlowAnswers("all", by_ms=600).between(2, 4.2),
            *Kill("api", cue=Cue.ACKNOWLEDGED_CREATE, restart_after_s=0.5).between(4, 5.5),
        ),
        objectives=Objectives(success_ratio=0.8, success_ratio_in_fault=0.8),
        claims=always_claimed(26)
        | {"no_stuck_order": 26, "no_leak": 140, "owner_only": 18, "read_your_writes": 60}
        | {"fulfilled_once": 22, "legal_transitions": 26},
    )
