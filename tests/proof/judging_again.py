"""Does a verdict depend on the run directory alone, and on all of it?"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from harness.verdict import Finding, Status
from harness.verdict_document import decode_verdict
from tests.proof.gates import gate, judge_again
from tests.proof.item import Item, Room, Shown, need

SCENE = "AnswerLost"
DEFECT = "new_number_on_retry"
STRUCK = ("build", "defects", "arguments", "target")
"""What `run.json` says of the target's build; the last two name it in passing."""
NEED_THE_LEDGER = frozenset({"no_double_charge", "no_orphan_charge", "money_conserved", "no_stuck_order"})
"""Promises of the scene that are held against every provider's ledger."""


def items() -> Iterator[Item]:
    """One run of a broken build and one of the fixed one, judged again."""
    yield Item(group="judging", name="judged-again", prove=same_verdict)
    yield Item(group="judging", name="judged-without-a-ledger", prove=undecided_without_ledger)


def same_verdict(room: Room) -> Shown:
    """`harness check` twice gives equal bytes; without build and defects in `run.json` the same findings."""
    gated = gate(room, SCENE, "--size", "scene", "--seed", "1", "--defect", DEFECT)
    files = [gated.folder / "verdict.json", gated.folder / SCENE / "verdict.json"]
    first = [file.read_bytes() for file in files]
    for _ in range(2):
        code = judge_again(gated.folder)
        need(code == gated.exit_code, f"judged again: exit {code} instead of {gated.exit_code}")
        need([file.read_bytes() for file in files] == first, "judged again: other bytes")
    struck = room.folder / "struck"
    shutil.copytree(gated.folder, struck)
    for file in (struck / "verdict.json", struck / SCENE / "verdict.json"):
        file.unlink()
    record = json.loads((struck / "run.json").read_text())
    for name in STRUCK:
        del record[name]
    (struck / "run.json").write_text(json.dumps(record))
    code = judge_again(struck)
    need(code == gated.exit_code, f"with build and defects struck: exit {code} instead of {gated.exit_code}")
    before, after = findings(files[0]), findings(struck / "verdict.json")
    need(bool(before), "there is no finding to compare")
    need(before == after, f"with build and defects struck: {len(after)} findings instead of {len(before)}")
    return Shown(told=f"equal bytes twice; {len(before)} findings with and without build and defects")


def undecided_without_ledger(room: Room) -> Shown:
    """A provider's evidence removed: exit 3, and each check that needs it is UNKNOWN and names it."""
    gated = gate(room, SCENE, "--size", "scene", "--seed", "2")
    need(gated.exit_code == 0, f"the whole run: exit {gated.exit_code}")
    undecided = {}
    for provider in ("wechat", "alipay", "card"):
        folder = room.folder / f"without-{provider}"
        shutil.copytree(gated.folder, folder)
        (folder / SCENE / "evidence" / f"ledger.{provider}.jsonl").unlink()
        code = judge_again(folder)
        need(code == 3, f"without {provider}'s ledger: exit {code}")
        checks = decode_verdict((folder / "verdict.json").read_bytes()).scenarios[0].checks
        missing = f"{provider}: its ledger is missing"
        names = {check.check for check in checks if check.status is Status.UNKNOWN and missing in check.reason}
        need(names >= NEED_THE_LEDGER, f"without {provider}'s ledger only {sorted(names)} are UNKNOWN and name it")
        failed = [check.check for check in checks if check.status is Status.FAIL]
        need(not failed, f"without {provider}'s ledger {failed} FAIL")
        undecided[provider] = names
    common = sorted(set.intersection(*undecided.values()))
    return Shown(told=f"exit 3 without any one ledger; UNKNOWN by name: {', '.join(common)}")


def findings(verdict: Path) -> list[tuple[str, Finding]]:
    """Every finding of a verdict, with its check."""
    read = decode_verdict(verdict.read_bytes())
    return [(c.check, finding) for scenario in read.scenarios for c in scenario.checks for finding in c.findings]
