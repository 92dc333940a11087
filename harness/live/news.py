"""What does the conductor tell whoever watches its run?

    conductor ──News, a JSON line each──> standard input of the live process

Through a pipe and not a file, since it carries the keys by which ledgers are read. Its end means that the conductor
has gone, however it went.
"""

import msgspec

from harness.documents import Anchor


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """A provider's ledger, as `harness.targets.source.Source`."""

    name: str
    url: str
    headers: dict[str, str]
    clock: str


class RunBegins(msgspec.Struct, frozen=True, kw_only=True, tag="run"):
    """Told once: what run it is."""

    run_id: str
    target: str
    profile: str
    size: str
    seed: int


class ScenarioBegins(msgspec.Struct, frozen=True, kw_only=True, tag="scenario"):
    """Its stack stands and `scenario.json` is written."""

    scenario: str
    folder: str
    """`runs/<id>/<Scenario>`, absolute."""
    base_url: str
    """Where customers' requests go."""
    adapter: str
    """`module:Class`, as the target file names it."""
    target_file: str
    target_folder: str
    """Where the adapter's module is looked for besides."""
    settings: dict[str, str]
    """Of the adapter, filled in."""
    anchor: Anchor
    ledgers: tuple[Ledger, ...]


class Marked(msgspec.Struct, frozen=True, kw_only=True, tag="marked"):
    """Where each ledger ended before the run did anything: ledger -> last `seq`."""

    watermark: dict[str, int]


class PhaseBegins(msgspec.Struct, frozen=True, kw_only=True, tag="phase"):
    """A phase of the conductor: preflight, load, drain, evidence."""

    phase: str


class Loading(msgspec.Struct, frozen=True, kw_only=True, tag="load"):
    """How the load stands; twice a second."""

    load_start_ns: int
    planned: int
    """Arrivals of the whole load."""
    started: int
    missed: int
    in_flight: int
    lateness_p99_ms: float
    cpu_share: float


class Rested(msgspec.Struct, frozen=True, kw_only=True, tag="rested"):
    """The drain ended."""

    quiescent: bool
    """Nothing moved any more; False where it ran into its limit."""


class ScenarioEnds(msgspec.Struct, frozen=True, kw_only=True, tag="ends"):
    """Its evidence is gathered; its stack is about to go."""


News = RunBegins | ScenarioBegins | Marked | PhaseBegins | Loading | Rested | ScenarioEnds
