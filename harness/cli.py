"""What can be asked for on the command line?

Thin: each command reads its arguments, calls one function of an inner module
and turns its result into output and an exit code. Starts without Locust and
gevent; what needs them runs as a child process. Inner modules are imported by
the command that needs them: a run starts this one several times.
"""

import os
import secrets
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from harness.cli_listing import Listed, listing
from harness.cli_options import (
    DEFAULT_BUILD,
    KEPT,
    MAIN,
    REFERENCE,
    SCENARIOS,
    AllowHost,
    Build,
    Defects,
    Known,
    MetricsHost,
    MetricsPort,
    PortBase,
    Profile,
    ProfileName,
    Rate,
    RunFolder,
    Stack,
    TargetFile,
    scenario_names,
)
from harness.cli_project import doctor, init, make_console
from harness.cli_reports import COMPARING, Ctrf, Html, Junit, Markdown, Prometheus, asked_for, report_gate, report_run
from harness.errors import ExitCode, HarnessError, UsageError
from harness.operation import Size, StackKind
from harness.stack.ports import LOOPBACK

if TYPE_CHECKING:
    from harness.gate import Request

app = typer.Typer(
    name="harness",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Chaos and load harness for payment APIs. Exit codes: 0 every promise held, 1 a promise was broken, "
    "2 wrong usage, 3 undecided or cut short, 4 the harness failed.",
)

app.command()(doctor)
app.command()(init)


@app.command()
def gate(
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(help=f"Scenarios; default {' '.join(MAIN)}.", show_default=False, autocompletion=scenario_names),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every scenario that there is, in turn.")] = False,
    size: Annotated[
        Size, typer.Option(help="gate: half a minute's load at the base rate; scene: 8 s, for quick tests.")
    ] = Size.GATE,
    rate: Rate = 1.0,
    build: Build = DEFAULT_BUILD,
    defect: Defects = None,
    target: TargetFile = REFERENCE,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of every random choice; drawn where not given.")] = None,
    runs: Annotated[Path, typer.Option(help="Folder in which run directories are made.")] = Path("runs"),
    keep: Annotated[int, typer.Option(min=1, help="Run directories to keep; older ones are removed.")] = KEPT,
    port_base: PortBase = 0,
    stack: Stack = StackKind.PROCESSES,
    profile: Profile = ProfileName.GATE,
    live: Annotated[bool, typer.Option(help="Watch the run while it goes on, and say what breaks at once.")] = True,
    metrics_port: MetricsPort = 0,
    metrics_host: MetricsHost = LOOPBACK,
    known: Known = "",
    allow_host: AllowHost = None,
    folder: Annotated[Path, typer.Option("--scenarios", help="Folder of the scenario files.")] = SCENARIOS,
    run_id: Annotated[str, typer.Option(help="Name of the run directory; made from the date where not given.")] = "",
    junit: Junit = None,
    ctrf: Ctrf = None,
    markdown: Markdown = None,
    html: Html = None,
    prometheus: Prometheus = None,
) -> None:
    """Run scenarios, judge them, write the files that are asked for, and exit with the verdict's code."""
    from harness.assignment import MetricsAt, new_run_id  # noqa: PLC0415
    from harness.gate import PARENT, Request, die_with, every_scenario  # noqa: PLC0415

    if parent := os.environ.pop(PARENT, ""):
        die_with(int(parent))
    if every and scenarios:
        raise UsageError("--all runs every scenario; name none beside it")
    names = every_scenario(size.value, folder) if every else tuple(scenarios or MAIN)
    request = Request(
        scenarios=names,
        size=size.value,
        rate=rate,
        build=build,
        defects=tuple(defect or ()),
        target_file=target,
        seed=seed if seed is not None else secrets.randbits(31),
        runs=runs,
        run_id=run_id or new_run_id(),
        profile=profile.value,
        port_base=port_base,
        allow_hosts=tuple(allow_host or ()),
        stack=stack.value,
        known=known,
        folder=folder,
        live=live,
        metrics=MetricsAt(host=metrics_host, port=metrics_port) if metrics_port else None,
    )
    _gate(request, keep, asked_for(junit=junit, ctrf=ctrf, markdown=markdown, html=html, prometheus=prometheus))


@app.command()
def report(
    run: RunFolder,
    junit: Junit = None,
    ctrf: Ctrf = None,
    markdown: Markdown = None,
    html: Html = None,
    prometheus: Prometheus = None,
) -> None:
    """Write files for machines of a judged run; 0 once they are written, whatever the verdict."""
    report_run(run, asked_for(junit=junit, ctrf=ctrf, markdown=markdown, html=html, prometheus=prometheus))


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
        print_run(read_run(run), make_console())
    _leave(verdict.exit_code)


@app.command(help=COMPARING)
def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run directories, oldest first; the last is in question.")],
) -> None:
    """Print runs side by side and what got worse in the last; exits by `Comparison.exit_code`."""
    from harness.report.comparison import compare as compared  # noqa: PLC0415
    from harness.report.nights import print_comparison  # noqa: PLC0415
    from harness.report.saved import read_run  # noqa: PLC0415

    comparison = compared([read_run(run) for run in runs])
    print_comparison(comparison, make_console())
    _leave(comparison.exit_code)


@app.command()
def rerun(run: RunFolder, keep: Annotated[int, typer.Option(min=1, help="Run directories to keep.")] = KEPT) -> None:
    """Run the same scenarios again with the same seed and arguments, as a new run beside it."""
    from harness.documents import read_run_record  # noqa: PLC0415

    app(["gate", *read_run_record(run).arguments, "--runs", str(run.parent), "--keep", str(keep)])


@app.command()
def explain(
    run: RunFolder, order: Annotated[str, typer.Argument(help="An order's id, or a beginning that no other has.")]
) -> None:
    """Tell one order's story of a saved run: what customer, books and providers did, and the requests for curl."""
    from harness.report import explain as explaining  # noqa: PLC0415

    explaining.print_explanation(run, explaining.explain(run, order), make_console())


@app.command()
def token(user: Annotated[str, typer.Argument(help="A user, as `harness explain` names it.")]) -> None:
    """Print the header by which the stack that stands knows a user; `harness explain` uses it in its curl lines."""
    from harness.stack.token import headers_of  # noqa: PLC0415

    for line in headers_of(user):
        print(line)


@app.command("list")
def list_(
    what: Annotated[Listed, typer.Argument(help="What to list.")],
    target: TargetFile = REFERENCE,
) -> None:
    """List scenarios, checks, faults, or the target's defects."""
    make_console().print(listing(what, target))


@app.command()
def up(
    only: Annotated[
        str, typer.Option(help="Groups to start, separated by commas, such as providers,toxiproxy; default all.")
    ] = "",
    target: TargetFile = REFERENCE,
    build: Build = DEFAULT_BUILD,
    defect: Defects = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the providers' random choices.")] = 1,
    profile: Profile = ProfileName.GATE,
    port_base: PortBase = 0,
    allow_host: AllowHost = None,
) -> None:
    """Start the target's stack, print URLs and keys, and leave it standing until `harness down`."""
    from harness.report.standing import print_standing  # noqa: PLC0415
    from harness.stack import standing  # noqa: PLC0415

    asked = standing.Asked(
        target_file=str(target),
        only=tuple(part.strip() for part in only.split(",") if part.strip()) or None,
        build=build,
        defects=tuple(defect or ()),
        seed=seed,
        profile=profile.value,
        port_base=port_base,
        allowed_hosts=tuple(allow_host or ()),
    )
    stack, fresh = standing.up(asked)
    print_standing(stack, make_console(), fresh=fresh)


@app.command()
def down() -> None:
    """End the stack that `harness up` started."""
    from harness.stack.standing import down as end  # noqa: PLC0415

    make_console().print(end(), markup=False)


@app.command()
def rescue() -> None:
    """Lift every fault and end every process that any run started here has left, also of runs that are alive."""
    from harness.report.standing import print_rescued  # noqa: PLC0415
    from harness.stack import undo  # noqa: PLC0415

    rescued = undo.rescue()
    print_rescued(rescued, make_console())
    if any(each.failed for each in rescued):
        _leave(ExitCode.HARNESS_FAILED)


def _gate(request: "Request", keep: int, asked: Mapping[str, Path]) -> NoReturn:
    from harness.gate import check_request, prune, run_locust  # noqa: PLC0415
    from harness.report.saved import read_run  # noqa: PLC0415
    from harness.report.terminal import print_run  # noqa: PLC0415

    check_request(request)
    if asked:
        from harness.report.formats import prepare  # noqa: PLC0415

        prepare(asked)
    console = make_console()
    console.print(f"run {request.runs / request.run_id}, seed {request.seed}: {', '.join(request.scenarios)}")
    code = run_locust(request, console)
    if code is not ExitCode.USAGE:
        folder = request.runs / request.run_id
        print_run(read_run(folder), console)
        unwritten = report_gate(folder, asked)
        prune(request.runs, keep)
        if unwritten is not None:
            print(f"harness: {unwritten}", file=sys.stderr)
            _leave(code if code is ExitCode.BROKEN else ExitCode.HARNESS_FAILED)
        for name, path in asked.items():
            console.print(f"{name}: {path}", markup=False)
    _leave(code)


def _leave(code: int) -> NoReturn:
    raise typer.Exit(int(code))


def main() -> None:
    """Run the command line; an error is one line and its exit code, which is never that of a verdict."""
    try:
        app()
    except HarnessError as error:
        print(f"harness: {error}", file=sys.stderr)
        sys.exit(int(error.exit_code))
    except Exception as error:  # noqa: BLE001  # the last stage: Python would exit with 1, which means a broken promise
        traceback.print_exc()
        print(f"harness: failed: {type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(int(ExitCode.HARNESS_FAILED))


if __name__ == "__main__":
    main()
