"""Is the dashboard one by Grafana's own types? Compiled against @grafana/schema, as npm gives it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.boards.conftest import WANTED
from tests.boards.questions import FILE

TYPES = Path(__file__).parent / "board.ts"
PACKAGES = ("@grafana/schema@12.2.0", "typescript@5.9.2")
OPTIONS = ("--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler")
LIMIT_S = 300

WRONG = {
    "a panel of no kind": ('"type": "stat"', '"type": "stats"'),
    "a query that is no text": ('"expr": "payment_chaos_run_info"', '"expr": 5'),
    "an option that the panel lacks": ('"rowHeight": 0.85', '"rowHigh": 0.85'),
    "a word that is none of an enum": ('"mode": "absolute"', '"mode": "absolut"'),
    "an annotation without a colour": ('"iconColor": "red",', ""),
    "a version in words": ('"schemaVersion": 42', '"schemaVersion": "42"'),
}


@pytest.fixture(scope="module")
def folder(is_wanted: bool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the packages are; skipped where npm is not there, or gives none."""
    if not is_wanted:
        pytest.skip(WANTED)
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("npm")
    command = [
        npm,
        "install",
        "--no-save",
        "--no-package-lock",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        *PACKAGES,
    ]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    if ended.returncode != 0:
        pytest.skip(f"npm gives no @grafana/schema: {ended.stderr[-300:]}")
    return folder


def complaints(folder: Path, board: str) -> list[str]:
    """What the compiler has against a dashboard."""
    types = TYPES.read_text()
    assert types.count("BOARD satisfies") == 1
    (folder / "board.ts").write_text(types.replace("BOARD satisfies", f"{board.strip()} satisfies"))
    command = [str(folder / "node_modules" / ".bin" / "tsc"), *OPTIONS, "board.ts"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    found = re.findall(r"error (TS\d+: .*)", ended.stdout)
    assert bool(found) == bool(ended.returncode), ended.stdout
    return found


def test_grafana_s_own_types_take_the_dashboard(folder: Path) -> None:
    assert complaints(folder, FILE.read_text()) == []


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_seen(folder: Path, name: str) -> None:
    right, wrong = WRONG[name]
    assert right in FILE.read_text()
    assert complaints(folder, FILE.read_text().replace(right, wrong, 1))
