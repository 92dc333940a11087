"""The morning peak: trips to the airport, and bills that do not say what happened."""

from harness import Customer, LateNotices, Objectives, Plan, PlantInBill, Poisson, SlowAnswers, always_claimed


class MorningPeak(Customer):
    """Off to the airport at seven: everyone orders a ride at once, pays, and catches the flight.

    Customers come in clusters, and every part is healthy. Only the providers' bills are not: each lacks
    one charge and has one that never was, and the target must say so by itself.
    """

    facts = ("F09", "F22", "F26")
    gate = Plan(
        load=Poisson(rate_per_s=12, duration_s=20),
        conditions=PlantInBill("all", nth=2),
        claims=always_claimed(120) | {"success_ratio": 90, "latency": 300, "no_silence": 500, "detection_time": 6},
    )
    scene = Plan(
        load=Poisson(rate_per_s=4, duration_s=8),
        warmup_s=0.5,
        # Money is on its way for half a second: so few customers suffice to see whether the target waits for it.
        conditions=(
            *PlantInBill("all", nth=2),
            *SlowAnswers("all", by_ms=500),
            *LateNotices("all", by_ms=1_000),
        ),
        objectives=Objectives(success_ratio=0.9, latency_limit_ms=2_500),
        claims=always_claimed(14) | {"success_ratio": 10, "no_silence": 60, "detection_time": 6},
    )
