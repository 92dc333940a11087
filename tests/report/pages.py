"""Runs whose pages are looked at: one that says the worst that a target can say, and several in one."""

import shutil
from pathlib import Path

import msgspec

from harness.checks import CHECKS
from harness.checks.judging import check_run
from harness.report.html.render import render_run
from harness.report.saved import read_run
from tests.histories.builder import Run, ns

EVIL = '</script><img src=x onerror="window.struck=1"><!--<script>'
"""An order's id as a target under test may make it."""
JUDGED = ("no_double_charge", "money_conserved", "announced", "assumptions")


def broken_run() -> Run:
    """WeChat Pay is down for a while; order A is charged twice, and so is one with a name to break pages with."""
    run = Run()
    run.scenario = msgspec.structs.replace(run.scenario, claims={"no_double_charge": 1, "announced": 1}, doc=f"{EVIL}.")
    run.conduct = msgspec.structs.replace(run.conduct, planned=13, started=13, problems=(EVIL,))
    run.fault("down", "network", "wechat", 3.0, 6.0)
    for number, order in enumerate(("A", EVIL, *(f"good-{n}" for n in range(6)))):
        at = 1.0 + number
        run.paid_order(order, at=at)
        run.transition(at + 0.1, "order", order, order, old=None, new="open")
    for order in ("A", EVIL):
        run.ledger("wechat").captured(2.9, f"{order}-2", order, 1_000, note=EVIL)
    for at in (3.0, 3.3, 3.6, 3.9, 4.2):
        run.journey(at).pay(at, at + 0.1, f"down-{at}", "wechat", outcome="info", http=502, code=EVIL)
    run.sample(0.5)
    run.sample(4.5, "wechat")
    run.sample(6.5)
    return run


def undecided_run() -> Run:
    """The same good orders, but one provider's ledger is missing."""
    run = Run()
    run.scenario = msgspec.structs.replace(run.scenario, claims={"no_double_charge": 1})
    run.conduct = msgspec.structs.replace(run.conduct, planned=4, started=4)
    for number in range(4):
        run.paid_order(f"good-{number}", at=1.0 + number)
    for source in run.scenario.sources:
        run.clocks.append({"source": source.name, "at_ns": ns(9.0), "offset_ns": 0, "error_ns": 1_000})
    run.absent = {"ledger.wechat"}
    return run


def held_run() -> Run:
    """Every order is as it should be."""
    run = undecided_run()
    run.absent = set()
    return run


def empty_run() -> Run:
    """Nobody came."""
    run = Run()
    run.scenario = msgspec.structs.replace(run.scenario, claims={"no_double_charge": 1})
    return run


def judged_folder(run: Run, folder: Path) -> Path:
    """Write and judge a run; returns its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    run.write(folder)
    check_run(folder, {name: CHECKS[name] for name in JUDGED})
    return folder


def three_in_one(folder: Path) -> Path:
    """One run of three scenarios: broken, undecided, held."""
    names = []
    for name, run in (("Broken", broken_run()), ("Undecided", undecided_run()), ("Held", held_run())):
        run.scenario = msgspec.structs.replace(run.scenario, name=name)
        alone = folder / "alone"
        run.write(alone)
        (alone / name).rename(folder / name)
        (alone / "run.json").replace(folder / "run.json")
        shutil.rmtree(alone)
        names.append(name)
    record = msgspec.json.decode((folder / "run.json").read_bytes())
    (folder / "run.json").write_bytes(msgspec.json.encode(record | {"scenarios": names}))
    check_run(folder, {name: CHECKS[name] for name in JUDGED})
    return folder


def page_of(folder: Path) -> str:
    """The page of a judged run."""
    return render_run(read_run(folder)).decode()
