"""How large is the page of a large run, and how long does it take to make and to open? Measured, not asserted.

python -m tests.report.bench                     a hand-made run of 100,000 operations, a tenth of its orders broken
python -m tests.report.bench runs/<id> ...       runs that lie there
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from harness.checks import CHECKS
from harness.checks.judging import check_run
from harness.report.html.render import render_run
from harness.report.saved import read_run
from tests.histories.builder import Run, ns
from tests.report.chromium import chromium, find_chromium

JOURNEYS = 20_000
LOAD_S = 1_800.0
BROKEN_EVERY = 10
OPENINGS = 5
WIDTHS = (1280, 820, 390)
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1"


def main(arguments: list[str]) -> None:
    """Measure the runs that are named, or the hand-made one."""
    with tempfile.TemporaryDirectory(prefix="harness-bench-") as scratch:
        folders = [Path(each) for each in arguments] or [large_run(Path(scratch) / "large")]
        for folder in folders:
            measure(folder, Path(scratch) / "report.html")


def large_run(folder: Path) -> Path:
    """A judged run of `JOURNEYS` customers with five operations each."""
    with timed(f"writing and judging {JOURNEYS} journeys"):
        run = Run()
        run.scenario = msgspec.structs.replace(run.scenario, claims={"no_double_charge": 1})
        run.conduct = msgspec.structs.replace(
            run.conduct,
            planned=JOURNEYS,
            started=JOURNEYS,
            load_end_ns=ns(LOAD_S),
            quiescent_ns=ns(LOAD_S + 60),
            books_read_ns=(ns(LOAD_S + 61), ns(LOAD_S + 62)),
        )
        run.fault("down", "network", "wechat", LOAD_S / 3, LOAD_S / 2)
        for number in range(JOURNEYS):
            _customer(run, number, number * (LOAD_S - 5) / JOURNEYS)
        folder.mkdir()
        run.write(folder)
        check_run(folder, {name: CHECKS[name] for name in ("no_double_charge", "money_conserved", "assumptions")})
    return folder


def _customer(run: Run, number: int, at: float) -> None:
    """Order, payment, three looks; of one in `BROKEN_EVERY` the charge is taken twice. Appends, never searches."""
    order = f"order-{number:06}"
    journey = run.journey(at)
    journey.create(at, at + 0.1, order)
    journey.pay(at + 0.2, at + 0.4, order, "wechat", state="paid", paid_minor=1_000, amount_minor=1_000)
    for look in range(3):
        journey.read(at + 0.5 + look, at + 0.6 + look, order, state="paid", paid_minor=1_000, amount_minor=1_000)
    journey.ends(at + 0.4)
    for charge in range(2 if number % BROKEN_EVERY == 0 else 1):
        run.ledger("wechat").captured(at + 0.3 + charge / 100, f"{order}-{charge}", order, 1_000)
    orders, payments = run.orders, run.payments
    run.orders, run.payments = [], []
    run.books_order(order, journey, "paid", at=at)
    run.payment(order, "wechat", f"{order}-0", "paid")
    orders += run.orders
    payments += run.payments
    run.orders, run.payments = orders, payments


def measure(folder: Path, page: Path) -> None:
    """Make the page and open it, several times at each width; print what it took."""
    with timed(f"page of {folder.name}, made"):
        page.write_bytes(render_run(read_run(folder)))
    print(f"  {page.stat().st_size / 1e6:.2f} MB")  # noqa: T201  # a command line
    program = find_chromium()
    if program is None:
        print("  there is no Chromium here to open it with")  # noqa: T201  # a command line
        return
    with chromium(program) as tab:
        for width in WIDTHS:
            took = sorted((tab.open(page, width=width), float(tab.run(PAINTED))) for _ in range(OPENINGS))
            told = ", ".join(f"{drawn:.0f} ({painted:.0f})" for drawn, painted in took)
            print(f"  opened at {width} px: drawn (verdict to be read) after {told} ms")  # noqa: T201  # a command line


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long it took."""
    start = time.monotonic()
    yield
    print(f"{what} in {time.monotonic() - start:.1f} s")  # noqa: T201  # a command line


if __name__ == "__main__":
    main(sys.argv[1:])
