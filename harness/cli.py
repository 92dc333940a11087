"""What can be asked for on the command line?

Thin: each command reads its arguments, calls one function of an inner module
and turns its result into output and an exit code. Starts without Locust and
gevent; what needs them runs as a child process.
"""

import secrets
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from harness.assignment import new_run_id
from harness.catalogue import known_scenarios
from harness.errors import ExitCode, HarnessError, UsageError
from harness.gate import Request, check_request, prune, run_locust
from harness.scenario import Size

WIDTH_IN_LOGS = 160
"""Columns where the output is no terminal and says nothing of its width."""

app = typer.Typer(
    name="harness",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Chaos and load harness for payment APIs. Exit codes: 0 every promise held, 1 a promise was broken, "
    "2 wrong usage, 3 undecided or cut short, 4 the harness failed.",
)


class ProfileName(StrEnum):
    """Names of the time profiles."""

    GATE = "gate"
    LIFE = "life"


RunFolder = Annotated[Path, typer.Argument(help="A run directory, such as runs/20261124-201500-1f3a.")]
TargetFile = Annotated[Path, typer.Option("--target", help="Target file: what is tested, and how it is started.")]
REFERENCE = Path("compose/reference.toml")


class Listed(StrEnum):
    """What `harness list` can list."""

    SCENARIOS = "scenarios"
    CHECKS = "checks"
    FAULTS = "faults"
    DEFECTS = "defects"


@app.command()
def gate(
    scenarios: Annotated[
        list[str] | None, typer.Argument(help="Scenarios; default AnswerLost FestivalEvening.")
    ] = None,
    size: Annotated[
        Size, typer.Option(help="gate: a minute's load at the base rate; scene: 8 s, for quick tests.")
    ] = Size.GATE,
    build: Annotated[str, typer.Option(help="Build of the target to start.")] = "fixed",
    defect: Annotated[list[str] | None, typer.Option(help="Defect to switch on; may be repeated.")] = None,
    target: TargetFile = REFERENCE,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of every random choice; drawn where not given.")] = None,
    runs: Annotated[Path, typer.Option(help="Folder in which run directories are made.")] = Path("runs"),
    keep: Annotated[int, typer.Option(min=1, help="Run directories to keep; older ones are removed.")] = 20,
    port_base: Annotated[int, typer.Option(min=0, max=65_000, help="First port to use; 0: any free ones.")] = 0,
    profile: Annotated[ProfileName, typer.Option(help="Time windows.")] = ProfileName.GATE,
    allow_host: Annotated[list[str] | None, typer.Option(help="Host beyond loopback that may be loaded.")] = None,
) -> None:
    """Run scenarios, judge them, and exit with the verdict's code."""
    _gate(
        Request(
            scenarios=tuple(scenarios or ("AnswerLost", "FestivalEvening")),
            size=size.value,
            build=build,
            defects=tuple(defect or ()),
            target_file=target,
            seed=seed if seed is not None else secrets.randbits(31),
            runs=runs,
            run_id=new_run_id(),
            profile=profile.value,
            port_base=port_base,
            allow_hosts=tuple(allow_host or ()),
        ),
        keep,
    )


@app.command()
def check(
    run: RunFolder,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing; only write verdict.json.")] = False,
) -> None:
    """Judge a run directory (again); reads nothing else, and writes the same bytes each time."""
    from harness.checks.judging import check_run  # noqa: PLC0415
    from harness.report.saved import read_run  # noqa: PLC0415
    from harness.report.terminal import print_run  # noqa: PLC0415

    verdict = check_run(run)
    if not quiet:
        print_run(read_run(run), _console())
    _leave(verdict.exit_code)


@app.command()
def rerun(run: RunFolder, keep: Annotated[int, typer.Option(min=1)] = 20) -> None:
    """Run the same scenarios again with the same seed and arguments."""
    from harness.documents import read_run_record  # noqa: PLC0415

    arguments = read_run_record(run).arguments
    app(["gate", *arguments, "--runs", str(run.parent), "--keep", str(keep)], standalone_mode=False)


@app.command("list")
def list_(what: Listed, target: TargetFile = REFERENCE) -> None:
    """List scenarios, checks, faults, or the target's defects."""
    listing: dict[Listed, Callable[[], Table]] = {
        Listed.SCENARIOS: _scenarios,
        Listed.CHECKS: _checks,
        Listed.FAULTS: _faults,
        Listed.DEFECTS: lambda: _defects(target),
    }
    _console().print(listing[what]())


def _scenarios() -> Table:
    table = _table("scenario", "what happens to the customer", "facts", "load, s", "claims")
    for entry in known_scenarios(Path("scenarios")):
        seconds = ", ".join(f"{size} {length:g}" for size, length in entry.seconds.items())
        claims = sorted({claim for names in entry.claims.values() for claim in names})
        table.add_row(entry.name, entry.what, " ".join(entry.facts), seconds, " ".join(claims))
    return table


def _checks() -> Table:
    from harness.checks import CHECKS  # noqa: PLC0415

    table = _table("check", "promise", "facts")
    for name, entry in CHECKS.items():
        table.add_row(name, entry.promise, " ".join(entry.facts))
    return table


def _faults() -> Table:
    from harness.faults import FAULTS  # noqa: PLC0415

    table = _table("fault", "constructor", "driver", "what it does")
    for name, entry in FAULTS.items():
        table.add_row(name, entry.make.__name__, entry.driver.value, entry.line)
    return table


def _defects(target_file: Path) -> Table:
    from harness.stack.builds import list_builds  # noqa: PLC0415
    from harness.targets.file import load_target  # noqa: PLC0415

    builds = list_builds(load_target(target_file))
    table = _table("defect", "the target then", "in builds")
    for name, line in builds.defects.items():
        table.add_row(name, line, " ".join(build for build, names in builds.builds.items() if name in names))
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _gate(request: Request, keep: int) -> NoReturn:
    from harness.report.saved import read_run  # noqa: PLC0415
    from harness.report.terminal import print_run  # noqa: PLC0415

    check_request(request)
    console = _console()
    console.print(f"run {request.runs / request.run_id}, seed {request.seed}: {', '.join(request.scenarios)}")
    code = run_locust(request, console)
    if code is not ExitCode.USAGE:
        print_run(read_run(request.runs / request.run_id), console)
        prune(request.runs, keep)
    _leave(code)


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH_IN_LOGS)


def _leave(code: int) -> NoReturn:
    raise typer.Exit(int(code))


def main() -> None:
    """Run the command line; an error of the harness is one line and its exit code."""
    try:
        app()
    except UsageError as error:
        print(f"harness: {error}", file=sys.stderr)
        sys.exit(int(ExitCode.USAGE))
    except HarnessError as error:
        print(f"harness: {error}", file=sys.stderr)
        sys.exit(int(error.exit_code))


if __name__ == "__main__":
    main()
