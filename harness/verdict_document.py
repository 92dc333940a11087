"""What does `verdict.json` say, byte for byte?

Keys are sorted and nothing in it depends on clock, machine or folder, so that judging one folder
twice gives equal files. The file of a run holds all scenarios; beside each scenario lies one with
that scenario alone. Reading gives back the values that were written. No I/O.
"""

import json

import msgspec

from harness.verdict import SCHEMA_VERSION, Finding, JudgedCheck, ScenarioVerdict, Status, Verdict


class FindingDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One proven breach; fields as of `harness.verdict.Finding`."""

    subject: str
    message: str
    evidence: dict[str, object]


class CheckDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One promise; fields as of `harness.verdict.JudgedCheck`."""

    check: str
    status: Status
    reason: str
    claimed: int | None
    """Floor of decided cases; null where the scenario does not claim the promise."""
    examined_count: int
    undecided_count: int
    measured: float | None
    objective: float | None
    unit: str
    facts: tuple[str, ...]
    findings: tuple[FindingDocument, ...]
    notes: tuple[str, ...]
    traceback: str | None
    """Of a check that crashed."""


class ScenarioDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario; fields as of `harness.verdict.ScenarioVerdict`."""

    scenario: str
    status: Status
    exit_code: int
    reason: str
    cut_short: str | None
    facts: tuple[str, ...]
    checks: tuple[CheckDocument, ...]


class VerdictDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A run; fields as of `harness.verdict.Verdict`."""

    schema_version: int
    run_id: str
    seed: int
    status: Status
    exit_code: int
    cut_short: str | None
    scenarios: tuple[ScenarioDocument, ...]


def encode_verdict(verdict: Verdict) -> bytes:
    """`verdict.json`: UTF-8, indented, keys sorted, a newline at its end."""
    document = VerdictDocument(
        schema_version=SCHEMA_VERSION,
        run_id=verdict.run_id,
        seed=verdict.seed,
        status=verdict.status,
        exit_code=verdict.exit_code,
        cut_short=verdict.cut_short,
        scenarios=tuple(_scenario_document(scenario) for scenario in verdict.scenarios),
    )
    text = json.dumps(msgspec.to_builtins(document), sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def decode_verdict(raw: bytes) -> Verdict:
    """The verdict that `encode_verdict` wrote; raises `ValueError` where it is none, or of another schema."""
    try:
        document = msgspec.json.decode(raw, type=VerdictDocument)
    except msgspec.MsgspecError as exc:
        raise ValueError(f"not a verdict: {exc}") from exc
    if document.schema_version != SCHEMA_VERSION:
        raise ValueError(f"a verdict of schema {document.schema_version}; this harness reads {SCHEMA_VERSION}")
    return Verdict(
        run_id=document.run_id,
        seed=document.seed,
        status=document.status,
        exit_code=document.exit_code,
        cut_short=document.cut_short,
        scenarios=tuple(_scenario_verdict(scenario) for scenario in document.scenarios),
    )


def _scenario_document(scenario: ScenarioVerdict) -> ScenarioDocument:
    return ScenarioDocument(
        scenario=scenario.scenario,
        status=scenario.status,
        exit_code=scenario.exit_code,
        reason=scenario.reason,
        cut_short=scenario.cut_short,
        facts=scenario.facts,
        checks=tuple(_check_document(judged) for judged in scenario.checks),
    )


def _check_document(judged: JudgedCheck) -> CheckDocument:
    return CheckDocument(
        check=judged.check,
        status=judged.status,
        reason=judged.reason,
        claimed=judged.claimed,
        examined_count=judged.examined,
        undecided_count=judged.undecided,
        measured=None if judged.measured is None else float(judged.measured),
        objective=None if judged.objective is None else float(judged.objective),
        unit=judged.unit,
        facts=judged.facts,
        findings=tuple(
            FindingDocument(subject=f.subject, message=f.message, evidence=dict(f.evidence)) for f in judged.findings
        ),
        notes=judged.notes,
        traceback=judged.traceback,
    )


def _scenario_verdict(document: ScenarioDocument) -> ScenarioVerdict:
    return ScenarioVerdict(
        scenario=document.scenario,
        status=document.status,
        exit_code=document.exit_code,
        reason=document.reason,
        cut_short=document.cut_short,
        facts=document.facts,
        checks=tuple(_judged_check(check) for check in document.checks),
    )


def _judged_check(document: CheckDocument) -> JudgedCheck:
    return JudgedCheck(
        check=document.check,
        status=document.status,
        reason=document.reason,
        claimed=document.claimed,
        examined=document.examined_count,
        undecided=document.undecided_count,
        measured=document.measured,
        objective=document.objective,
        unit=document.unit,
        facts=document.facts,
        findings=tuple(Finding(subject=f.subject, message=f.message, evidence=f.evidence) for f in document.findings),
        notes=document.notes,
        traceback=document.traceback,
    )
