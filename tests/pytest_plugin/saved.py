"""Runs written by hand, whose promises come to every status that there is."""

from pathlib import Path

import msgspec

from harness.recorder.rows import Inv
from tests.histories.builder import Run, ns
from tests.histories.charge_stories import charged_twice
from tests.histories.order_stories import two_good_orders
from tests.histories.settings import RUN

CLAIMS = {"no_vanished_order": 1, "no_orphan_charge": 1}
KNOWN = """[[known]]
check = "no_double_charge"
scenario = "HandWritten"
ticket = "PAY-123"
expires = 2099-12-31
"""


def held(folder: Path, **claims: int) -> Path:
    """Two good orders; claims two promises unless told otherwise."""
    return write(two_good_orders(), folder, claims or CLAIMS)


def broken(folder: Path, **claims: int) -> Path:
    """Order C is charged twice: `no_double_charge` sees it, claimed or not, and so does `money_conserved`."""
    return write(charged_twice(), folder, claims or CLAIMS)


def write(run: Run, folder: Path, claims: dict[str, int], **scenario: object) -> Path:
    """The run directory, with everything that its premises ask for."""
    journeys = sum(isinstance(row, Inv) and row.op == "journey" for row in run.history)
    run.conduct = msgspec.structs.replace(run.conduct, planned=journeys, started=journeys)
    run.scenario = msgspec.structs.replace(run.scenario, claims=claims, **scenario)
    run.clocks = [{"source": "books", "at_ns": ns(59.0), "offset_ns": 0, "error_ns": 600_000}]
    run.write(folder)
    return folder


def ended(folder: Path, how: str) -> Path:
    """The same run, cut short."""
    record = msgspec.json.decode((folder / "run.json").read_bytes(), type=type(RUN))
    (folder / "run.json").write_bytes(msgspec.json.encode(msgspec.structs.replace(record, ended=how)))
    return folder
