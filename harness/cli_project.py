"""How does a team get from the reference target to its own API? `harness doctor` and `harness init`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.cli_options import DEFAULT_BUILD, REFERENCE, AllowHost, Build, PortBase, Profile, ProfileName, TargetFile

WIDTH_IN_LOGS = 160
"""Columns where the output is no terminal and says nothing of its width."""


def make_console() -> Console:
    """Where commands print."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH_IN_LOGS)


def doctor(
    target: TargetFile = REFERENCE,
    build: Build = DEFAULT_BUILD,
    profile: Profile = ProfileName.GATE,
    port_base: PortBase = 0,
    allow_host: AllowHost = None,
) -> None:
    """Look at a target: does all that its file names answer, does an order go through, which promises can be judged?

    Starts what the file says, orders, pays by each method, asks for one refund, and ends what it started. Exit codes:
    0 every promise will be judged or is waived, 1 one was seen broken, 2 the file is wrong or the target cannot be
    reached, 3 something is wrong or missing, so that some promise would be UNKNOWN, or cut short, 4 the harness failed.
    """
    from harness.doctor.asking import examine  # noqa: PLC0415

    code = examine(
        target,
        build=build,
        profile=profile.value,
        port_base=port_base,
        allow_hosts=tuple(allow_host or ()),
        console=make_console(),
    )
    raise typer.Exit(int(code))


def init(
    folder: Annotated[
        Path, typer.Argument(help="Folder of the project; default this one.", show_default=False)
    ] = Path(),
) -> None:
    """Write a small project of one's own, which runs as it is; nothing that is there already is changed."""
    from harness.project import write_project  # noqa: PLC0415

    for path in write_project(folder):
        print(f"wrote {path}")
    print(f"next: read {folder / 'README.md'}; it has the one command that gives a verdict")
