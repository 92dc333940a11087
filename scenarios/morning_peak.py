"""The morning peak: trips to the airport, and bills that do not say what happened."""

from harness import Customer, Objectives, Plan, PlantInBill, Poisson, always_claimed


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
        conditions=PlantInBill("all", nth=2),
        objectives=Objectives(success_ratio=0.9),
        claims=always_claimed(14) | {"success_ratio": 10, "no_silence": 60, "detection_time": 6},
    )
