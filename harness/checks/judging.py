"""Which promises held in a run directory?

    run.json, known.toml ─┐
    <Scenario>/scenario.json, history, faults, evidence ──> premises, CHECKS ──> verdict.json

Reads nothing else: no scenario file, no profile, no adapter, no network, no clock; judging twice
writes the same bytes. A check that crashes does not end the judging: it is UNKNOWN, and its
traceback stands in the verdict.
"""

import re
import traceback
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import msgspec

from harness.checks import CHECKS
from harness.checks.assumptions import broken_premises
from harness.checks.check import Check, Premise
from harness.checks.clocks import clocks_of
from harness.documents import SCHEMA_VERSION, Anchor
from harness.errors import RunDirectoryError, UsageError
from harness.evidence.tables import Evidence, open_evidence
from harness.judgement import judge, judge_run, judge_scenario
from harness.known_breaches import KNOWN_FILE, Unfit, day_of, parse_known, soften, standings
from harness.rating import Clock
from harness.verdict import (
    ASSUMPTIONS,
    CLAIMED_ALWAYS,
    CheckResult,
    Crash,
    JudgedCheck,
    KnownBreach,
    ScenarioVerdict,
    Status,
    Terms,
    Verdict,
)
from harness.verdict_document import encode_verdict

TIMES_THE_TARGET = frozenset({"latency", "success_ratio", "recovery_time", "no_silence", "bulkhead"})
"""Checks whose FAIL a lagging generator takes back: it may be the generator's own slowness that they saw."""

COMPLETE = "complete"
RUNNING = "running"
VERDICT_FILE = "verdict.json"


class _RunHead(msgspec.Struct):
    """What of `run.json` a verdict may depend on: never build, defects or arguments."""

    schema_version: int
    run_id: str
    seed: int
    scenarios: tuple[str, ...]
    anchor: Anchor
    ended: str = RUNNING


def check_run(run_dir: Path, checks: Mapping[str, Check] = CHECKS) -> Verdict:
    """Judge every scenario of a run and write `verdict.json`, for the run and beside each scenario.

    Raises `RunDirectoryError` where the folder is none, `HistoryError` where a file in it is damaged
    elsewhere than in its last line, `UsageError` where a scenario claims nothing. Files of an earlier
    verdict are replaced. Costs about half a second for 5,000 operations.
    """
    head = _run_head(run_dir)
    known = _known_breaches(run_dir)
    verdicts = []
    for name in head.scenarios:
        folder = run_dir / name
        if (folder / "scenario.json").is_file():
            verdict = _judge_folder(folder, checks, known, day_of(head.anchor.utc_ms))
            own = standings((breach for breach in known if breach.scenario == name), (verdict,))
            _replace(folder / VERDICT_FILE, encode_verdict(judge_run(head.run_id, head.seed, (verdict,), known=own)))
        else:
            verdict = judge_scenario(name, (), cut_short="it was never begun")
        verdicts.append(verdict)
    whole = judge_run(
        head.run_id, head.seed, tuple(verdicts), cut_short=_cut_short(head), known=standings(known, verdicts)
    )
    _replace(run_dir / VERDICT_FILE, encode_verdict(whole))
    return whole


def _known_breaches(run_dir: Path) -> tuple[KnownBreach, ...]:
    """What was known when the run began, by the copy of known.toml that it took along."""
    path = run_dir / KNOWN_FILE
    try:
        return parse_known(path.read_bytes(), CHECKS)
    except FileNotFoundError:
        return ()
    except (OSError, Unfit) as exc:
        raise RunDirectoryError(f"{path} is not what it must be: {exc}") from exc


def _run_head(run_dir: Path) -> _RunHead:
    path = run_dir / "run.json"
    try:
        raw = path.read_bytes()
    except OSError as exc:
        raise RunDirectoryError(f"{run_dir} is no run directory: run.json cannot be read ({exc.strerror})") from exc
    try:
        head = msgspec.json.decode(raw, type=_RunHead)
    except msgspec.MsgspecError as exc:
        raise RunDirectoryError(f"{run_dir} is no run directory: run.json is not what it must be ({exc})") from exc
    if head.schema_version != SCHEMA_VERSION:
        said = f"run.json is of schema {head.schema_version}, this harness reads {SCHEMA_VERSION}"
        raise RunDirectoryError(f"{run_dir} cannot be judged: {said}")
    for name in head.scenarios:
        if name != Path(name).name or name in {"", ".", ".."}:
            raise RunDirectoryError(f"{run_dir} is no run directory: run.json names a scenario {name!r}")
    return head


def _cut_short(head: _RunHead) -> str | None:
    if head.ended == COMPLETE:
        return None
    return "the run was never ended" if head.ended == RUNNING else head.ended


def _judge_folder(
    folder: Path, checks: Mapping[str, Check], known: tuple[KnownBreach, ...], day: date
) -> ScenarioVerdict:
    with open_evidence(folder) as evidence:
        claims = {name: floor for name, floor in evidence.scenario.claims.items() if name != ASSUMPTIONS}
        if not claims:
            raise UsageError(f"{folder.name} claims no promise, so there is nothing to hold the target to")
        broken = _broken(evidence, folder)
        judged = [_judge_check(evidence, check, broken, folder) for check in checks.values()]
        clocks, unread = _clocks(evidence, folder)
        judged += [_unheard_of(name, claims[name]) for name in sorted(claims.keys() - checks.keys())]
        return judge_scenario(
            evidence.scenario.name,
            soften(evidence.scenario.name, judged, known, day),
            cut_short=evidence.conduct.cut_short,
            facts=evidence.scenario.facts,
            clocks=clocks,
            unread_clocks=unread,
        )


def _clocks(evidence: Evidence, folder: Path) -> tuple[tuple[Clock, ...], str | None]:
    """The incident's clocks, or why they could not be read: without them there is a verdict, but no rating."""
    try:
        return clocks_of(evidence), None
    except Exception as exc:  # noqa: BLE001  # a stage ends here
        return (), f"the clocks could not be read: {_crash(exc, folder).error}"


def _broken(evidence: Evidence, folder: Path) -> Mapping[Premise, str]:
    try:
        return broken_premises(evidence)
    except Exception as exc:  # noqa: BLE001  # a stage ends here; the check `assumptions` keeps the traceback
        why = f"the premises could not be examined: {_crash(exc, folder).error}"
        return dict.fromkeys(Premise, why)


def _judge_check(evidence: Evidence, check: Check, broken: Mapping[Premise, str], folder: Path) -> JudgedCheck:
    result: CheckResult | Crash
    try:
        result = check.function(evidence)
    except Exception as exc:  # noqa: BLE001  # a stage ends here; the traceback goes into the verdict
        result = _crash(exc, folder)
    scenario = evidence.scenario
    floor = scenario.claims.get(check.name, CLAIMED_ALWAYS if check.name == ASSUMPTIONS else None)
    terms = Terms(
        claimed=floor,
        undecided_share=scenario.undecided_shares.get(check.name, 0.0),
        broken_premises={premise.value: why for premise, why in broken.items() if premise in check.needs},
        lag=broken.get(Premise.GENERATOR_HEALTHY) if check.name in TIMES_THE_TARGET else None,
        waiver=scenario.waivers.get(check.name),
        facts=check.facts,
    )
    return judge(check.name, result, terms)


def _unheard_of(name: str, floor: int) -> JudgedCheck:
    """A promise that this harness cannot judge is not one that held."""
    reason = "claimed, but this harness has no check of that name"
    return JudgedCheck(check=name, status=Status.UNKNOWN, reason=reason, claimed=floor, examined=0, undecided=0)


ADDRESS = re.compile(r"0x[0-9a-fA-F]+")
OUTSIDE = re.compile(r'File "[^"]*?([^/"]+/[^/"]+)"')


def _crash(exc: Exception, folder: Path) -> Crash:
    """An exception without what differs between two runs or two machines: folders, addresses."""
    text = "".join(traceback.format_exception(exc))
    root = str(Path(__file__).parents[2])
    for path, word in ((str(folder.parent), "RUN"), (str(folder.parent.resolve()), "RUN"), (f"{root}/", "")):
        text = text.replace(path, word)
    text = ADDRESS.sub("0x...", OUTSIDE.sub(r'File "\1"', text))
    return Crash(error=text.strip().splitlines()[-1], traceback=text)


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    draft = path.with_suffix(".json.draft")
    draft.write_bytes(content)
    draft.replace(path)
