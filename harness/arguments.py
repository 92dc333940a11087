"""What can Locust be asked for, on its command line and in its start form?

The harness's own arguments, and how an `Assignment` is read from them. A form
changes Locust's options without checking anything, so it is read and refused
here before Locust sees it. What means workers is refused.
"""

import secrets
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from harness.assignment import MOST_RATE, Assignment, MetricsAt, assign, new_run_id
from harness.errors import ExitCode, UsageError
from harness.operation import STACK_VARIABLE, Size, StackKind
from harness.profile import PROFILES
from harness.scenario import Scenario
from harness.stack.ports import LOOPBACK
from harness.targets.template import nearest

NO_WORKERS = "a run with workers is not there yet; leave out --master, --worker and --processes"
ALL = "all"
"""Of `--scenario`: every one that Locust was given."""
ASKED = (
    "scenario",
    "rate",
    "size",
    "seed",
    "build",
    "defect",
    "target",
    "runs",
    "run_id",
    "windows",
    "port_base",
    "allow_host",
    "known",
    "stack",
)
"""Our own arguments, as Locust's options and the start form name them."""


def refuse_workers(arguments: Sequence[str], environ: Mapping[str, str]) -> None:
    """Leave with exit code 2 where workers are asked for; before Locust does, since a worker waits for its master."""
    early = ArgumentParser(add_help=False, allow_abbrev=False)
    early.add_argument("--master", "--worker", dest="asked", action="store_true")
    early.add_argument("--processes", dest="asked", type=bool)
    asked = early.parse_known_args(arguments)[0].asked
    if asked or any(environ.get(name) for name in ("LOCUST_MODE_MASTER", "LOCUST_MODE_WORKER", "LOCUST_PROCESSES")):
        leave(NO_WORKERS)


def add_arguments(parser: Any, scenarios: Sequence[str]) -> None:
    """Add the harness's arguments to Locust's command line and start form; `scenarios` are those to choose from."""
    parser.set_defaults(web_host="127.0.0.1")
    group = parser.add_argument_group("payment chaos harness")

    def add(*names: str, on_form: bool = True, **how: Any) -> None:
        group.add_argument(*names, **how).include_in_web_ui = on_form  # Locust asks each action; a group sets nothing

    add(
        "--scenario",
        choices=[ALL, *scenarios],
        default=ALL,
        help="one by its name, or all in turn",
    )
    add(
        "--rate",
        type=float,
        default=1.0,
        help=f"times the scenario's own arrival rate, at most {MOST_RATE:g}; claims keep their floors: below 1 may be "
        "UNKNOWN",
    )
    add(
        "--size",
        choices=[size.value for size in Size],
        default=Size.GATE.value,
        help="how much of each scenario to run",
    )
    add("--seed", type=int, default=-1, help="seed of every random choice; -1 draws one and says it")
    add("--build", default="fixed", help="build of the target to start, as its target file names them")
    add("--defect", default="", help="defects to switch on, by name, separated by commas")
    add("--target", default="compose/reference.toml", help="target file")
    add("--windows", choices=sorted(PROFILES), default="gate", help="time windows: life, or scaled to a minute's run")
    add(
        "--stack",
        choices=[kind.value for kind in StackKind],
        default=StackKind.PROCESSES.value,
        env_var=STACK_VARIABLE,
        help="what the target is started as: processes, or containers of its compose file",
    )
    add("--known", default="", help="file of known breaches; ./known.toml where empty, if it is there")
    add("--allow-host", default="", help="hosts beyond loopback that may be loaded, separated by commas")
    add("--runs", default="runs", on_form=False, help="folder in which run directories are made")
    add("--run-id", default="", on_form=False, help="name of the run directory; made from the date where empty")
    add("--port-base", type=int, default=0, on_form=False, help="first of the ports to use; 0 takes any free ones")
    add(
        "--no-live",
        action="store_true",
        on_form=False,
        help="do not watch the run while it goes on; it is judged all the same",
    )
    add("--metrics-port", type=int, default=0, on_form=False, help="serve Prometheus' metrics of the run there; 0: no")
    add("--metrics-host", default=LOOPBACK, on_form=False, help="on this address")


def read_assignment(
    options: Namespace, form: Mapping[str, str], *, scenarios: Sequence[Scenario], host: str
) -> Assignment:
    """Read what is asked for from Locust's options and a start form that is about to change them.

    Raises UsageError where it cannot be done.
    """
    asked = {name: str(form.get(name, getattr(options, name))) for name in ASKED}
    try:
        seed, port_base = int(asked["seed"]), int(asked["port_base"])
        most_journeys = int(form.get("user_count", options.num_users))
    except ValueError as error:
        raise UsageError(f"seed, port base and the number of users are whole numbers: {error}") from error
    try:
        rate = float(asked["rate"])
    except ValueError as error:
        raise UsageError(f"rate {asked['rate']!r} is no number; 1 is the scenario's own arrival rate") from error
    if asked["windows"] not in PROFILES:
        raise UsageError(f"unknown windows {asked['windows']!r}{nearest(asked['windows'], PROFILES)}")
    return assign(
        scenarios=chosen(scenarios, asked["scenario"]),
        rate=rate,
        size=asked["size"],
        seed=seed if seed >= 0 else secrets.randbits(31),
        build=asked["build"],
        defects=split(asked["defect"]),
        target_file=Path(asked["target"]),
        runs=Path(asked["runs"]),
        run_id=asked["run_id"] or new_run_id(),
        profile=asked["windows"],
        port_base=port_base,
        allow_hosts=split(asked["allow_host"]),
        host=form.get("host", host),
        most_journeys=most_journeys,
        stack=asked["stack"],
        known_file=asked["known"],
        scenario_files=str(options.locustfile),
        live=not options.no_live,
        metrics=MetricsAt(host=options.metrics_host, port=options.metrics_port) if options.metrics_port else None,
    )


def chosen(scenarios: Sequence[Scenario], name: str) -> Sequence[Scenario]:
    """The scenario of that name, or all of them; raises UsageError where there is none."""
    if name in {ALL, ""}:
        return scenarios
    named = [scenario for scenario in scenarios if scenario.name == name]
    if not named:
        known = [scenario.name for scenario in scenarios]
        raise UsageError(f"unknown scenario {name!r}{nearest(name, tuple(known))}")
    return named


def split(names: str) -> tuple[str, ...]:
    """Split a comma list; empty parts do not count."""
    return tuple(part.strip() for part in names.split(",") if part.strip())


def leave(message: str) -> NoReturn:
    """Leave before anything was started, with one line and exit code 2."""
    sys.stderr.write(f"harness: {message}\n")
    sys.exit(int(ExitCode.USAGE))
