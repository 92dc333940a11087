"""Runs of several nights, written by hand: what is compared."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from harness.documents import Anchor, RunRecord, ScenarioRecord
from harness.judgement import judge_run, judge_scenario
from harness.rating import Clock
from harness.report.saved import SavedRun
from harness.verdict import JudgedCheck, Ratio, ScenarioVerdict, Status
from tests.report.run import CONDUCT, RECORD, RUN, judged

PAID = "journeys paid within patience, steady"


def held(name: str = "no_double_charge", **fields: object) -> JudgedCheck:
    return judged(name, Status.PASS, **fields)  # type: ignore[arg-type]


def share(good: int, total: int, *, what: str = PAID, objective: float = 0.9, **fields: object) -> JudgedCheck:
    """`success_ratio`, judged by one share."""
    ratio = Ratio(good=good, total=total, objective=objective, what=what)
    whole = {"measured": good / total, "objective": objective, "unit": "share", "ratios": (ratio,)}
    return judged("success_ratio", **({"status": Status.PASS} | whole | fields))  # type: ignore[arg-type]


def clock(name: str = "refund", **fields: object) -> Clock:
    return Clock(
        **({"name": name, "cases": 4, "longest_s": 4.0, "window_s": 8.0, "scenario": "AnswerLost"} | fields)  # type: ignore[arg-type]
    )


def verdict(
    *checks: JudgedCheck, name: str = "AnswerLost", cut_short: str | None = None, clocks: tuple[Clock, ...] = ()
) -> ScenarioVerdict:
    return judge_scenario(name, checks, cut_short=cut_short, clocks=clocks)


def night(
    day: int,
    *scenarios: ScenarioVerdict | JudgedCheck,
    run: Mapping[str, object] | None = None,
    record: ScenarioRecord = RECORD,
) -> SavedRun:
    """A run on that day of November; checks alone are those of one scenario. `run`: fields of run.json."""
    checks = tuple(each for each in scenarios if isinstance(each, JudgedCheck))
    verdicts = tuple(each for each in scenarios if isinstance(each, ScenarioVerdict)) or (verdict(*checks),)
    run_id = f"202611{day:02}-020000-00{day:02}"
    began = Anchor(monotonic_ns=0, utc_ms=datetime(2026, 11, day, 2, tzinfo=UTC).timestamp() * 1_000, error_ms=0.0)
    usual: dict[str, object] = {"run_id": run_id, "seed": day, "anchor": began, "defects": ()}
    said: RunRecord = msgspec.structs.replace(RUN, **(usual | dict(run or {})))
    return SavedRun(
        folder=Path("runs") / run_id,
        run=said,
        scenarios={each.scenario: record for each in verdicts if each.checks},
        verdict=judge_run(run_id, day, verdicts),
        conducts={each.scenario: CONDUCT for each in verdicts if each.checks},
    )
