"""Does the doctor say what a person needs who points it at a target?"""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import pytest

from harness.checks import CHECKS
from harness.cli_options import REFERENCE
from harness.doctor.asking import standing
from harness.doctor.examining import examine
from harness.doctor.looks import Asked, Look
from harness.doctor.promises import Promise, Prospect
from harness.errors import ExitCode, UsageError
from harness.stack.ports import LOOPBACK
from tests.lifecycle.playing import TARGET, Place, await_
from tests.proof.small_shop import small_shop

PLAIN = """schema_version = 1
name = "plain"
adapter = "harness.targets.reference:Reference"
base_url = "{base_url}"

[settings]
token_secret = "a"
operator_token = "b"
"""
NO_BOOKS = (
    small_shop(stock=100)
    + """
[waivers]
fulfilled_once = "nothing is released by us"
"""
)


def doctor(folder: Path, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "own.toml").write_text(text)
    command = [sys.executable, "-m", "harness.cli", "doctor", "--target", "own.toml", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def looks(out: str) -> dict[str, tuple[str, str]]:
    """What was looked at -> how it was and what was said, with the way out behind it."""
    joined = re.sub(r"\n +-> ", " -> ", out)
    rows = re.findall(r"^(ok|wrong|absent|      ) +(.{26}) (.*)$", joined, flags=re.MULTILINE)
    return {what.strip(): (condition.strip(), said) for condition, what, said in rows}


def test_a_url_where_nobody_answers_is_told_with_its_key(tmp_path: Path) -> None:
    done = doctor(tmp_path, PLAIN.format(base_url="http://127.0.0.1:9"))
    assert done.returncode == ExitCode.USAGE, done
    condition, said = looks(done.stdout)["customers' requests"]
    assert condition == "wrong"
    assert said.startswith("nobody answers at http://127.0.0.1:9: ")
    assert "-> base_url: " in said
    assert "promises" not in done.stdout
    assert list(tmp_path.glob(".harness/*")) == []


def refused(folder: Path, target_file: Path, *allow_hosts: str) -> str:
    """What the child says that looks, asked in this process since it neither looks at nor starts anything."""
    said: list[Look] = []
    asked = Asked(target_file=str(target_file), runs=str(folder), run_id="r", build="fixed", allow_hosts=allow_hosts)
    with chdir(folder), pytest.raises(UsageError) as refusal:
        examine(asked, said.append)
    assert (said, list(folder.glob("r/*"))) == ([], [])
    return str(refusal.value)


def test_a_real_providers_host_is_refused_before_anything_is_looked_at_though_it_is_allowed(tmp_path: Path) -> None:
    host = "api.mch.weixin.qq.com"
    (tmp_path / "own.toml").write_text(PLAIN.format(base_url=f"https://{host}"))
    said = refused(tmp_path, Path("own.toml"), host)
    assert said.startswith(f"target file own.toml: base_url names {host}, a host of WeChat Pay: ")


ODD = """from harness.targets.reference import Reference


class Odd(Reference):
    def health(self):
        raise LookupError("odd")


class Refuses:
    def __init__(self, settings):
        settings["region"]
"""


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("Odd", ExitCode.HARNESS_FAILED, "failed: LookupError: odd; see whether the adapter did"),
        ("Refuses", ExitCode.USAGE, "given [settings] it raised KeyError: 'region'"),
        ("Absent", ExitCode.USAGE, "module odd has no Absent"),
    ],
)
def test_an_adapter_that_fails_is_never_a_broken_promise(tmp_path: Path, name: str, code: ExitCode, said: str) -> None:
    (tmp_path / "odd.py").write_text(ODD)
    with socket.create_server((LOOPBACK, 0)) as listening:
        text = PLAIN.format(base_url=f"http://{LOOPBACK}:{listening.getsockname()[1]}")
        done = doctor(tmp_path, text.replace("harness.targets.reference:Reference", f"odd:{name}"))
    assert done.returncode == code, done
    assert said in done.stderr.splitlines()[-1]


def test_a_file_that_is_not_there_is_told_with_the_way_out(tmp_path: Path) -> None:
    said = "target file compose/reference.toml cannot be read: No such file or directory"
    assert refused(tmp_path, REFERENCE) == f"{said}; name one by --target, or begin with `harness init`"


@pytest.mark.parametrize(
    ("looked", "prospects", "code"),
    [
        (ExitCode.PASS, [Prospect.JUDGED, Prospect.WAIVED], ExitCode.PASS),
        (ExitCode.UNDECIDED, [Prospect.JUDGED], ExitCode.UNDECIDED),
        (ExitCode.PASS, [Prospect.JUDGED, Prospect.NOT_OFFERED], ExitCode.UNDECIDED),
        (ExitCode.PASS, [Prospect.JUDGED, Prospect.UNKNOWN], ExitCode.UNDECIDED),
        (ExitCode.PASS, [Prospect.UNKNOWN, Prospect.BROKEN], ExitCode.BROKEN),
    ],
)
def test_the_worst_of_looks_and_promises_is_the_exit_code(
    looked: ExitCode, prospects: list[Prospect], code: ExitCode
) -> None:
    assert standing(looked, [Promise(check="c", prospect=prospect, said="") for prospect in prospects]) is code


@pytest.mark.live
def test_the_reference_target_is_well_and_every_promise_will_be_judged(new_place: Callable[[], Place]) -> None:
    done = new_place().call("harness", "doctor", "--target", str(TARGET))
    assert done.exit_code == 0, done.out + done.err
    seen = looks(done.out)
    assert {condition for condition, _ in seen.values()} == {"ok", ""}
    assert {"process api", "edge database", "ledger card", "book of refunds", "status page", "refund"} <= seen.keys()
    assert {f"payment by {method}" for method in ("wechat", "alipay", "card")} <= seen.keys()
    assert all(seen[name][1].startswith("will be judged: ") for name in CHECKS)
    assert done.out.endswith(f"\n{len(CHECKS)} will be judged\n")


@pytest.mark.live
def test_without_books_and_ledgers_each_promise_says_what_it_lacks(new_place: Callable[[], Place]) -> None:
    here = new_place()
    (here.folder / "own.toml").write_text(NO_BOOKS)
    done = here.call("harness", "doctor", "--target", "own.toml")
    assert done.exit_code == ExitCode.UNDECIDED, done.out + done.err
    seen = looks(done.out)
    assert seen["books"][0] == seen["ledgers"][0] == "absent"
    assert '-> [[source]] with kind = "books"' in seen["books"][1]
    assert '-> [[source]] kind = "books"' in seen["books_whole"][1]
    assert seen["no_vanished_order"][1] == "UNKNOWN: books_whole does not hold"
    assert seen["money_conserved"][1].startswith("not offered: no provider's ledger is declared -> ")
    assert seen["fulfilled_once"][1].startswith("waived: ")
    assert seen["no_silence"][1].startswith("will be judged: ")


@pytest.mark.live
def test_ctrl_c_ends_what_was_started(new_place: Callable[[], Place]) -> None:
    here = new_place()
    (here.folder / "own.toml").write_text(NO_BOOKS)
    child = here.start("harness", "doctor", "--target", "own.toml")
    out = here.folder / "out"
    await_(lambda: "process shop" in out.read_text(), "the doctor's first look at a process")
    child.send_signal(signal.SIGINT)
    done = here.end(child)
    assert done.exit_code == ExitCode.UNDECIDED, done.out + done.err
    assert done.err.endswith("harness: interrupted; what was started has ended\n")
    started = re.search(r"process shop +pid (\d+)", done.out)
    assert started is not None
    with pytest.raises(ProcessLookupError):
        os.kill(int(started[1]), 0)
    assert list(here.folder.glob(".harness/*")) == []
