"""In which order are items proven, and how is it told how far that is?

First those that bear company, in lanes side by side, then the others one at a
time. What an item showed is stored as soon as it is over, so that a proof may be
stopped at any instant and goes on where it stopped.
"""

import shutil
import subprocess
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from harness.stack.postgres import open_postgres
from tests.proof.item import Item, NotProven, Proven, Room
from tests.proof.store import Store

LONGEST = 260
"""Characters of one line of progress, beyond the item's name."""


class CodeChanged(Exception):
    """What is being proven is not what it was at the beginning."""


def run_all(items: Sequence[Item], store: Store, lanes: int, still: Callable[[], bool]) -> dict[str, Proven]:
    """Prove every item that is not proven yet; gives all results of the items asked for.

    Raises CodeChanged as soon as `still` says that the code is no longer that of the store's digest.
    """
    known = store.read()
    wanted = [item for item in items if item.name not in known or not known[item.name].ok]
    say(f"{len(items)} items, {len(items) - len(wanted)} of them proven already by this very code")
    if wanted:
        store.folder.mkdir(parents=True, exist_ok=True)
        with open_postgres(log=store.folder / "postgresql.log", environ={}) as postgres:
            course = Course(store=store, postgres=postgres.url("postgres"), telling=Telling(len(wanted)), still=still)
            _side_by_side([item for item in wanted if not item.alone], lanes, course)
            _side_by_side([item for item in wanted if item.alone], 1, course)
    return {name: proven for name, proven in store.read().items() if name in {item.name for item in items}}


class Telling:
    """Counts what is over, and says it a line each."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._over = 0
        self._lock = threading.Lock()

    def over(self, proven: Proven) -> None:
        """Say how one item ended."""
        with self._lock:
            self._over += 1
            word = "proven" if proven.ok else "NOT PROVEN"
            say(f"{self._over}/{self._total} {word} {proven.name} ({proven.seconds:.0f} s): {brief(proven.told)}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """What every item of one call has in common."""

    store: Store
    postgres: str
    telling: Telling
    still: Callable[[], bool]
    """Whether the code is what it was at the beginning."""


def brief(text: str) -> str:
    """The beginning of what may be long; the whole stands in the stored result."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} ..."


def say(text: str) -> None:
    """One line, at once."""
    print(f"{datetime.now().astimezone():%H:%M:%S} {text}", flush=True)  # noqa: T201  # a command line of its own


def prove(item: Item, folder: Path, postgres: str) -> Proven:
    """Prove one item in a folder of its own; whatever it raises is what it showed."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began_s = time.monotonic()
    shown, told = None, ""
    try:
        shown = item.prove(Room(folder=folder, postgres=postgres))
        told = shown.told
    except NotProven as exc:
        told = str(exc)
    except subprocess.TimeoutExpired as exc:
        told = f"not ended after {exc.timeout:.0f} s"
    except Exception as exc:  # noqa: BLE001  # an item ends here; its traceback is kept beside its runs
        told = f"{type(exc).__name__}: {exc}"
        (folder / "traceback.txt").write_text(traceback.format_exc())
    seconds = round(time.monotonic() - began_s, 1)
    return Proven(
        group=item.group,
        name=item.name,
        ok=shown is not None,
        told=told,
        seconds=seconds,
        runs=() if shown is None else shown.runs,
    )


def _side_by_side(items: Iterable[Item], lanes: int, course: Course) -> None:
    pool = ThreadPoolExecutor(lanes)
    rooms = course.store.folder / "rooms"
    futures: list[Future[Proven]] = [pool.submit(prove, item, rooms / item.name, course.postgres) for item in items]
    try:
        for future in as_completed(futures):
            proven = future.result()
            if not course.still():
                raise CodeChanged(f"the code changed while {proven.name} was being proven; begin again")
            course.store.write(proven)
            course.telling.over(proven)
    finally:
        pool.shutdown(cancel_futures=True)
