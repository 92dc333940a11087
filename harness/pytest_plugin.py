"""How do scenarios run under pytest: `pytest scenarios/`, or `pytest --run RUN_DIR` for a saved run?

The entry point that pytest loads wherever this package is installed, also for suites that have nothing to
do with payments: it imports nothing until a scenario file is met, or a test asks for `payment_run`.

A scenario file is one that imports `Customer` or `Plan` from `harness`, or from such a file beside it, and has
no tests of its own; its text says so, it is not imported here. What is collected then stands in
`harness.pytest_items`, how it runs in `harness.pytest_runs`, and what other suites import in `harness.promises`.
"""

import os
import re
import shutil
import tempfile
from argparse import ArgumentTypeError
from collections.abc import Generator, Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.promises import PaymentRun
    from harness.pytest_runs import Runs

MARKER = "payment_scenario"
SHARED = "payment_shared"
SEED = "payment_seed"
"""What a controller of pytest-xdist hands to its workers."""
_ITEMS = "payment_items"
_READ: dict[Path, bool] = {}
"""Whether a file declares scenarios, of those that were asked for."""
_IMPORTED = re.compile(rb"^(?:from|import) (\w+)", re.MULTILINE)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The session's options; named as those of `harness gate`, behind a prefix of their own."""
    group = parser.getgroup("payment", "payment scenarios (see `harness gate --help`)")
    add = group.addoption
    add(
        "--run", dest="payment_run", metavar="RUN_DIR", type=Path, help="judge a saved run instead of playing scenarios"
    )
    add("--payment-size", default="gate", choices=("gate", "scene"), help="gate: half a minute's load; scene: 8 s")
    add("--payment-rate", default=1.0, type=float, metavar="FACTOR", help="times the scenario's own arrival rate")
    add(
        "--payment-seed",
        type=_not_negative,
        metavar="N",
        help="seed of every random choice; drawn and said where not given",
    )
    add("--payment-build", default="fixed", metavar="NAME", help="build of the target to start")
    add("--payment-defect", action="append", default=[], metavar="NAME", help="defect to switch on; may be repeated")
    add("--payment-target", default="compose/reference.toml", metavar="FILE", help="target file")
    add("--payment-runs", default="runs", metavar="DIR", help="folder in which run directories are made")
    add("--payment-profile", default="gate", choices=("gate", "life"), help="time windows")
    add("--payment-known", default="", metavar="FILE", help="known breaches; ./known.toml, if it is there")
    add(
        "--payment-allow-host",
        action="append",
        default=[],
        metavar="HOST",
        help="host beyond loopback; may be repeated",
    )
    add("--payment-scenarios", default="scenarios", metavar="DIR", help=f"where the marker {MARKER} finds scenarios")


def _not_negative(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"a seed is a whole number, 0 or more, not {text!r}")
    return int(text)


def pytest_configure(config: pytest.Config) -> None:
    """With --run and no paths the run itself is what is collected, whatever `testpaths` says."""
    config.addinivalue_line("markers", f"{MARKER}(*names): scenarios that payment_run is given, one after the other")
    run = config.option.payment_run
    if run is not None and config.args_source is not config.ArgsSource.ARGS:
        if not (run / "run.json").is_file():
            raise pytest.UsageError(f"--run {run}: this is no run directory, it has no run.json")
        config.args = [str(run / "run.json")]


def runs_of(config: pytest.Config) -> "Runs":
    """The session's runs; made, with what they import, when they are first asked for."""
    from harness import pytest_items  # noqa: PLC0415
    from harness.pytest_runs import Runs, Terms  # noqa: PLC0415

    if pytest_items.RUNS not in config.stash:
        option, cwd = config.option, config.invocation_params.dir
        handed = getattr(config, "workerinput", {})
        terms = Terms(
            size=option.payment_size,
            rate=option.payment_rate,
            seed=handed[SEED] if SEED in handed else _seed(config),
            build=option.payment_build,
            defects=tuple(option.payment_defect),
            target=Path(option.payment_target),
            runs=Path(option.payment_runs),
            profile=option.payment_profile,
            known=option.payment_known,
            allow_hosts=tuple(option.payment_allow_host),
            cwd=cwd,
        )
        shared = Path(handed[SHARED]) if SHARED in handed else None
        config.stash[pytest_items.RUNS] = Runs(terms=terms, run=option.payment_run, shared=shared)
        config.pluginmanager.register(pytest_items, _ITEMS)
    return config.stash[pytest_items.RUNS]


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Take scenario files over, so that no other plugin imports them, and Locust with them, into this process."""
    found = yield
    run = parent.config.option.payment_run
    if run is not None and file_path.name == "run.json" and parent.session.isinitpath(file_path):
        runs_of(parent.config)
        from harness.pytest_items import RunFile  # noqa: PLC0415

        return [RunFile.from_parent(parent, path=file_path)]
    if file_path.suffix != ".py" or not declares_scenarios(file_path):
        return found
    runs_of(parent.config)
    from harness.pytest_items import ScenarioFile  # noqa: PLC0415

    return [ScenarioFile.of(parent, file_path)]


def declares_scenarios(path: Path) -> bool:
    """Whether a file's text says that it declares scenarios; costs reading it, and more only where it may be one.

    It imports Customer or Plan from `harness`, or `harness` itself, or a neighbour that does; it has a class with a
    base; and nothing in it is called `test...`. A file that Python cannot parse counts if it looks like it, so that
    somebody is told. Every file is read once.
    """
    if path not in _READ:
        _READ[path] = _declares_scenarios(path, frozenset())
    return _READ[path]


def _declares_scenarios(path: Path, asking: frozenset[Path]) -> bool:
    """The same, asked on behalf of files that import this one: neighbours may import each other."""
    if path.name.startswith("_"):  # Locust does not load those either
        return False
    raw = _text(path)
    if b"class " not in raw:
        return False
    named = b"harness" in raw and (b"Customer" in raw or b"Plan" in raw)
    if named and _has_scenarios(raw, inherits=False):
        return True
    neighbours = {path.with_name(f"{name.decode()}.py") for name in _IMPORTED.findall(raw)}
    asking |= {path}
    inherits = any(_READ.get(each) or _declares_scenarios(each, asking) for each in sorted(neighbours - asking))
    return inherits and _has_scenarios(raw, inherits=True)


@cache
def _text(path: Path) -> bytes:
    """Of a file that can be read; of any other nothing."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _has_scenarios(raw: bytes, *, inherits: bool) -> bool:
    import ast  # noqa: PLC0415

    try:
        nodes = list(ast.walk(ast.parse(raw)))
    except (SyntaxError, ValueError):
        return inherits or (b"\nfrom harness import " in b"\n" + raw and b"\ndef test" not in raw)
    if any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test") for node in nodes):
        return False
    imported = inherits or any(
        {alias.name for alias in node.names} & {"Customer", "Plan"}
        if isinstance(node, ast.ImportFrom) and node.module in {"harness", "harness.customer"}
        else isinstance(node, ast.Import) and any(alias.name == "harness" for alias in node.names)
        for node in nodes
    )
    return imported and any(isinstance(node, ast.ClassDef) and node.bases for node in nodes)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """The saved run, where one is judged."""
    run = config.option.payment_run
    return [] if run is None else [f"payment run: {run}"]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Under pytest-xdist: one seed for all workers, and a place where they meet."""
    node.workerinput[SEED] = _seed(node.config)
    node.workerinput[SHARED] = str(_meeting_place(node.workerinput["testrunuid"]))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """One scenario a worker, where a folder or file that was named holds scenarios; else xdist's own way."""
    named = (Path(str(arg).partition("::")[0]) for arg in config.args)
    paths = [_absolute(config, path) for path in named]
    files = (file for path in paths for file in (sorted(path.glob("*.py")) if path.is_dir() else [path]))
    if config.option.dist != "load":
        return None
    scenario = next((file for file in files if file.suffix == ".py" and declares_scenarios(file)), None)
    if scenario is None and config.option.payment_run is None:
        return None
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415

    if scenario is not None and config.option.payment_run is None:
        from harness.pytest_items import check_terms  # noqa: PLC0415

        check_terms(runs_of(config), (), scenario.parent)
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(f"payment: {runs_of(config).terms.told()}")
    return LoadScopeScheduling(config, log)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Hand the scenarios that a test's marker names to its `payment_run`."""
    if "payment_run" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker(MARKER)
        if marker is not None:
            metafunc.parametrize("payment_run", marker.args, indirect=True, scope="session")


@pytest.fixture(scope="session")
def payment_run(request: pytest.FixtureRequest) -> "PaymentRun":
    """A judged run: the one that --run names, or one of the scenario that the test's marker or parameter names.

    With both it is that scenario of the saved run. Every scenario is played once a session, whoever asks for it.
    """
    from harness.errors import HarnessError  # noqa: PLC0415
    from harness.promises import PaymentRun  # noqa: PLC0415
    from harness.pytest_progress import telling  # noqa: PLC0415

    scenario: str | None = getattr(request, "param", None)
    runs = runs_of(request.config)
    if scenario is None and runs.run is None:
        pytest.fail(
            f'payment_run: name a saved run by --run RUN_DIR, or a scenario by @pytest.mark.{MARKER}("Name")',
            pytrace=False,
        )
    folder = _absolute(request.config, Path(request.config.option.payment_scenarios))
    try:
        with telling(request.config) as tell:
            saved = runs.saved() if scenario is None else runs.of(scenario, folder, tell)
    except HarnessError as error:
        pytest.fail(f"payment_run: {error}", pytrace=False)
    if scenario is not None and scenario not in saved.run.scenarios:
        pytest.fail(f"payment_run: {saved.folder} holds no scenario {scenario}", pytrace=False)
    return PaymentRun(saved=saved, scenario=scenario)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Where the runs lie that were judged."""
    found = dict.fromkeys(_runs(report for reports in terminalreporter.stats.values() for report in reports))
    if config.pluginmanager.has_plugin(_ITEMS):
        found |= {(name, str(run)): None for name, run in runs_of(config).cut_short.items() if run.is_dir()}
    if found:
        terminalreporter.section("payment runs")
        for scenario, folder in found:
            terminalreporter.write(f"{scenario}: {folder}  (the whole report: harness check {folder})\n")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Clear away where workers met."""
    nodes = getattr(session.config.pluginmanager.get_plugin("dsession"), "nodemanager", None)
    if nodes is not None:
        shutil.rmtree(_meeting_place(nodes.testrunuid), ignore_errors=True)


def _runs(reports: Iterable[Any]) -> Iterable[tuple[str, str]]:
    """Scenario and run directory, once for each item."""
    for report in reports:
        for name, value in getattr(report, "user_properties", ()):
            if name == "payment_run":
                yield report.nodeid.split("::")[-2], str(value)


def _seed(config: pytest.Config) -> int:
    """The session's seed, drawn where none was given; the same whenever it is asked for."""
    if config.option.payment_seed is None:
        config.option.payment_seed = int.from_bytes(os.urandom(4)) >> 1
    seed: int = config.option.payment_seed
    return seed


def _meeting_place(testrunuid: str) -> Path:
    return Path(tempfile.gettempdir()) / f"payment-{testrunuid}"


def _absolute(config: pytest.Config, path: Path) -> Path:
    return config.invocation_params.dir / path
