"""Where does a report get its values? From a run directory alone, so that it can be made again at any time."""

from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from harness.documents import ConductRecord, RunRecord, ScenarioRecord, read_run_record
from harness.errors import RunDirectoryError
from harness.verdict import Verdict
from harness.verdict_document import decode_verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedRun:
    """A judged run, read back."""

    folder: Path
    run: RunRecord
    scenarios: dict[str, ScenarioRecord]
    verdict: Verdict
    conducts: dict[str, ConductRecord] = field(default_factory=dict)
    """How each scenario went, by the conductor's own account; what was cut down before it wrote one is missing."""


def read_run(folder: Path) -> SavedRun:
    """Read a judged run directory; raises RunDirectoryError where something in it is missing or damaged."""
    path = folder
    try:
        run = read_run_record(folder)
        path = folder / "verdict.json"
        verdict = decode_verdict(path.read_bytes())
        scenarios, conducts = {}, {}
        for judged in verdict.scenarios:
            path = folder / judged.scenario / "scenario.json"
            if not judged.checks:
                continue  # never begun
            scenarios[judged.scenario] = msgspec.json.decode(path.read_bytes(), type=ScenarioRecord)
            path = folder / judged.scenario / "evidence" / "conduct.json"
            if path.is_file():
                conducts[judged.scenario] = msgspec.json.decode(path.read_bytes(), type=ConductRecord)
    except FileNotFoundError:
        raise RunDirectoryError(f"{path} is missing; `harness check {folder}` judges a run directory") from None
    except (msgspec.MsgspecError, ValueError) as error:
        raise RunDirectoryError(f"{path} is damaged: {error}") from error
    return SavedRun(folder=folder, run=run, scenarios=scenarios, verdict=verdict, conducts=conducts)
