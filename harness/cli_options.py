"""Which options do several commands share, and what can a shell complete in them?

Completion starts without Locust: scenarios are found in their files' text, builds and defects are told by the target
itself. What goes wrong while a shell completes is no error: nothing is offered then.
"""

from collections.abc import Collection
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from harness.errors import HarnessError
from harness.operation import STACK_VARIABLE, StackKind

REFERENCE = Path("compose/reference.toml")
SCENARIOS = Path("scenarios")
KEPT = 20
MAIN = ("Incident",)
"""What a gate runs where no scenario is named."""
DEFAULT_BUILD = "fixed"


class ProfileName(StrEnum):
    """Names of the time profiles."""

    GATE = "gate"
    LIFE = "life"


def scenario_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Scenarios of the folder that `--scenarios` names, as far as their files' text shows them; about 20 ms."""
    from harness.catalogue import declared  # noqa: PLC0415

    return _beginning(declared(Path(ctx.params.get("folder") or SCENARIOS)), incomplete)


def defect_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Defects of the target that `--target` names, which tells them itself; about half a second."""
    return _beginning(_told_by_target(ctx, "defects"), incomplete)


def build_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Builds of the target that `--target` names."""
    return _beginning(_told_by_target(ctx, "builds"), incomplete)


def _told_by_target(ctx: typer.Context, what: str) -> Collection[str]:
    from harness.stack.builds import list_builds  # noqa: PLC0415
    from harness.targets.file import load_target  # noqa: PLC0415

    try:
        builds = list_builds(load_target(Path(ctx.params.get("target") or REFERENCE)))
    except HarnessError:
        return ()
    return builds.defects if what == "defects" else builds.builds


def _beginning(names: Collection[str], incomplete: str) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))


RunFolder = Annotated[Path, typer.Argument(help="A run directory, such as runs/20261124-201500-1f3a.")]
TargetFile = Annotated[Path, typer.Option("--target", help="Target file: what is tested, and how it is started.")]
Build = Annotated[
    str,
    typer.Option(
        help="Build of the target to start, as `harness list defects` names them.", autocompletion=build_names
    ),
]
Defects = Annotated[
    list[str] | None,
    typer.Option(help="Defect to switch on; may be repeated.", autocompletion=defect_names),
]
PortBase = Annotated[int, typer.Option(min=0, max=65_000, help="First port to use; 0: any free ones.")]
Profile = Annotated[ProfileName, typer.Option(help="Time windows: life, or scaled to a minute's run.")]
Known = Annotated[
    str, typer.Option(help="File of known breaches; default ./known.toml, if it is there.", show_default=False)
]
MetricsPort = Annotated[
    int,
    typer.Option(
        min=0,
        max=65_535,
        help="Serve Prometheus' metrics of the run there; 0: not at all.",
        envvar="HARNESS_METRICS_PORT",
    ),
]
MetricsHost = Annotated[str, typer.Option(help="Address on which metrics are served.", envvar="HARNESS_METRICS_HOST")]
Rate = Annotated[
    float,
    typer.Option(
        help="Times the scenario's own arrival rate, above 0, at most 10. The floors of what it claims stay its own, "
        "so that below 1 UNKNOWN may be the honest verdict.",
    ),
]
Stack = Annotated[
    StackKind,
    typer.Option(
        help="What the target is started as: processes, or containers of its file's [compose].", envvar=STACK_VARIABLE
    ),
]
AllowHost = Annotated[
    list[str] | None, typer.Option(help="Host beyond loopback that may be loaded, if the target file allows it too.")
]
