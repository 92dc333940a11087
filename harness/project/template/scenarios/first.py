"""The first scenario: what happens to whoever pays while a provider's answers are lost?"""

from harness import CLAIMED_ALWAYS, Customer, CutAnswers, Objectives, Plan, Steady


class First(Customer):
    """Charged, and told "please wait": WeChat Pay's answer was lost on its way."""

    gate = Plan(
        # Three customers a second arrive for six seconds, however slow the target is.
        load=Steady(rate_per_s=3, duration_s=6),
        # Seconds after the load's start. The charge is made; only the answer to it is cut, on the edge "wechat".
        faults=CutAnswers("wechat").between(1.5, 4),
        # So few customers can prove nine of ten, no more; a larger load can ask for 0.99.
        objectives=Objectives(success_ratio=0.9, success_ratio_in_fault=0.9),
        # Promises that this run is held to, each with the least number of cases that it must have examined.
        claims=CLAIMED_ALWAYS | {"no_stuck_order": 10, "success_ratio": 10},
    )
