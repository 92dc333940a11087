"""The payment API's own answers are cut on their way to the customer."""

from harness import Customer, CutAnswers, Objectives, Plan, Steady, always_claimed


class CutReplies(Customer):
    """Tap "order", see nothing, tap again: the same order, not a second one.

    For three seconds every answer to the customer is cut. Orders are created,
    payments are taken, and nobody is told; retries with the same key must find
    what the first request made.
    """

    facts = ("F04", "F08")
    gate = Plan(
        load=Steady(rate_per_s=10, duration_s=18),
        faults=CutAnswers("customer").between(6, 9),
        objectives=Objectives(success_ratio_in_fault=0.9),
        claims=always_claimed(92) | {"success_ratio": 80, "idempotent_reply": 20},
    )
    scene = Plan(
        load=Steady(rate_per_s=4, duration_s=8),
        warmup_s=0.5,
        faults=CutAnswers("customer").between(2, 5),
        objectives=Objectives(success_ratio=0.8, success_ratio_in_fault=0.8),
        claims=always_claimed(18) | {"idempotent_reply": 8},
    )
