"""Locust's real web UI over runs of which everything is known in advance: `python -m tests.web_ui.serving PORT FOLDER`.

Never imported: Locust patches the process that imports it, first of all where Python 3.11's ssl is to bear it.

The file `moment` in the folder says what is known: "running", where a second goes by from look to look, or "over".
"""

import itertools
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from locust.env import Environment

from harness.stack.ports import LOOPBACK
from harness.web_ui.known import Known
from harness.web_ui.routes import hang_in
from tests.web_ui.told import BASE_PATH, STATE, UNDER_WAY, broken, running


class Recorded:
    """Runs as the file has it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._looks = itertools.count()

    def known(self) -> Known:
        if (self._folder / "moment").read_text() == "running":
            return running(live=msgspec.structs.replace(STATE, since_start_s=4.0 + next(self._looks)))
        return replace(running(UNDER_WAY, STATE, broken()), busy=False)

    def refusal(self, form: Mapping[str, str]) -> str | None:
        return f"not here: {form['user_count']}"

    def page_of(self, folder: Path) -> bytes:
        return f"<!doctype html><title>{folder.name}</title><h1>The page of {folder.name}</h1>".encode()


def serve(port: int, folder: Path) -> None:
    """Serve until somebody ends this process."""
    sys.argv = ["locust"]  # Locust reads it again for its form
    environment = Environment()
    environment.create_local_runner().state = "running"
    ui: Any = environment.create_web_ui(LOOPBACK, port, web_base_path=BASE_PATH, delayed_start=True)
    hang_in(ui, Recorded(folder), BASE_PATH)
    ui.start()
    ui.greenlet.join()


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]))
