"""Judged runs that every report is tried with: broken, undecided, known, held."""

from dataclasses import replace
from datetime import date

from harness.money import Bearer
from harness.rating import Clock
from harness.verdict import Finding, KnownBreach, KnownEntry, Standing, Status
from tests.report.run import COURSE, finding, judged, saved

BROKEN = saved(
    judged(
        "no_double_charge",
        Status.FAIL,
        measured=3_250.0,
        objective=0.0,
        unit="minor units",
        findings=(
            finding("ord_b", Bearer.CUSTOMER, 1_000),
            finding("ord_a", Bearer.CUSTOMER, 1_250, **COURSE),
            *(finding(f"ord_{letter}", Bearer.CUSTOMER, 200) for letter in "cdefg"),
        ),
    ),
    judged(
        "no_vanished_order", Status.PASS, measured=0.0, objective=0.0, unit="orders", notes=("a note of no weight",)
    ),
    judged(
        "refund_in_window",
        Status.FAIL,
        measured=11.25,
        objective=8.0,
        unit="s",
        undecided=2,
        findings=(finding("ord_a", Bearer.CUSTOMER, 1_250), finding("ord_z", Bearer.LATE, 300)),
        notes=("one refund is still under way",),
    ),
    judged("money_conserved", Status.FAIL, findings=(finding("ord_a", Bearer.BOOKS, 1_250),), unit="minor units"),
    judged("latency", Status.NOT_EXERCISED, claimed=None, measured=0.995, objective=0.99, unit="share"),
    judged("no_stuck_order", Status.PASS, notes=("healed: order ord_k was stuck for 2.0 s",)),
    judged("assumptions", Status.PASS, measured=0.0, objective=0.0, unit="premises broken", notes=("ids holds: yes",)),
)

UNDECIDED = saved(
    judged(
        "no_double_charge",
        Status.UNKNOWN,
        reason="premise quiescent broken: things moved; still; 2 of 30 undecided (a; b); "
        "premise told broken: the drain met its limit",
        undecided=2,
    ),
    judged("no_vanished_order", Status.UNKNOWN, reason="premise told broken: the drain met its limit"),
    judged(
        "success_ratio",
        Status.UNKNOWN,
        reason="1 breach, but the load generator lagged: 300 ms",
        findings=(finding("ord_a", Bearer.CUSTOMER, 1_250),),
    ),
    judged("no_silence", Status.UNKNOWN, reason="the check crashed: ValueError: [x]", traceback="Traceback of [x]"),
    judged("latency", Status.NOT_OFFERED, reason="no such thing; waived: not sold here"),
    judged(
        "assumptions",
        Status.UNKNOWN,
        reason="2 of 12 undecided",
        notes=(
            "ids holds: yes",
            "quiescent broken: things moved; still",
            "told broken: the drain met its limit",
            "a history's last line is torn",
        ),
    ),
    cut_short="Ctrl-C",
)

BREACH = KnownBreach(check="no_silence", scenario="AnswerLost", ticket="PAY-7", expires=date(2026, 12, 31))
KNOWN = saved(
    judged("no_double_charge", Status.PASS),
    judged(
        "no_silence",
        Status.KNOWN,
        known=BREACH,
        reason="1 breach among 30 examined; known: PAY-7, until 2026-12-31",
        findings=(Finding(subject="journey 7", message="Nobody answered."),),
        notes=("the longest took 9 s",),
    ),
    judged("assumptions", Status.PASS),
    clocks=(
        Clock(name="detect", cases=1, longest_s=1.26, window_s=4, scenario="AnswerLost"),
        Clock(name="refund", cases=3, unended=1, longest_s=11.25, window_s=8, scenario="AnswerLost"),
        Clock(name="compensate", cases=0, window_s=10, scenario="AnswerLost", why="no order was affected"),
    ),
    known=(
        KnownEntry(breach=BREACH, standing=Standing.SOFTENED),
        KnownEntry(breach=replace(BREACH, check="latency"), standing=Standing.HEALED),
        KnownEntry(breach=replace(BREACH, check="no_leak"), standing=Standing.EXPIRED),
        KnownEntry(breach=replace(BREACH, check="goodput"), standing=Standing.UNSEEN),
        KnownEntry(breach=replace(BREACH, scenario="Incident"), standing=Standing.NOT_RUN),
    ),
    scenarios=2,
)

HELD = saved(judged("no_double_charge", Status.PASS), judged("assumptions", Status.PASS))

UNCLAIMED = saved(
    judged("no_double_charge", Status.PASS),
    judged("no_leak", Status.FAIL, claimed=None, findings=(Finding(subject="GET /orders", message="A phone."),)),
    judged("assumptions", Status.PASS),
)
NEVER_BEGUN = saved(cut_short="it was never begun")

EVERY = {
    "broken": BROKEN,
    "undecided": UNDECIDED,
    "known": KNOWN,
    "held": HELD,
    "unclaimed": UNCLAIMED,
    "never begun": NEVER_BEGUN,
}
"""Name -> run; together they have every status."""
