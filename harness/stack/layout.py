"""Where does each part of a stack stand, and what does each placeholder stand for?

Values only: nothing is opened or started here. Ports are known from the ground
on, so services and edges may refer to each other in a circle.
"""

import re
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields

from harness.profile import Windows
from harness.stack.builds import Chosen
from harness.stack.ground import Ground
from harness.stack.parts import Edge, Places, ProviderControl, Rollout
from harness.targets.file import POSTGRES, EdgeEntry, ServiceEntry, TargetFile
from harness.targets.source import Source, SourceKind
from harness.targets.template import fill, placeholders

CONTROL_KEY = "x-control-key"
SECRET_BYTES = 16


def values_of(
    ground: Ground,
    *,
    scenario: str,
    seed: int,
    chosen: Chosen,
    windows: Windows,
    settings: Mapping[str, str | int],
) -> dict[str, str]:
    """Every placeholder's value for one scenario, services' own left out; secrets are drawn anew.

    `settings` are the scenario's, put over the file's defaults.
    """
    target = ground.target
    values = {
        "python": sys.executable,
        "run_id": ground.run_id,
        "seed": str(seed),
        "build": chosen.build,
        "defects": ",".join(chosen.defects),
    }
    values |= {f"secret.{name}": secrets.token_hex(SECRET_BYTES) for name in sorted(target.secrets())}
    values |= {f"setting.{name}": str(value) for name, value in {**target.defaults, **settings}.items()}
    for each in fields(Windows):
        value = getattr(windows, each.name)
        parts = value if isinstance(value, tuple) else (value,)
        values[f"window.{each.name}"] = ",".join(str(part) for part in parts)
    if target.postgres is not None:
        unique = f"{word(ground.run_id)}_{word(scenario)}_{secrets.token_hex(2)}"
        values["database"] = f"{target.postgres.database}_{unique[:40]}"
    return values | addresses(ground, ground.at, values.get("database", ""))


def seen_from_within(ground: Ground, values: Mapping[str, str]) -> dict[str, str]:
    """The same values for the services themselves: addresses as they reach one another."""
    return {**values, **addresses(ground, ground.within, values.get("database", ""))}


def addresses(ground: Ground, places: Places, database: str) -> dict[str, str]:
    """Placeholders of services and edges, as they are reached from one side."""
    values = {f"service.{name}": f"http://{place}" for name, place in places.services.items()}
    for entry in ground.target.edge:
        if not leads_somewhere(ground, entry):
            continue
        host, _, port = entrance(ground, entry, places).rpartition(":")
        values |= {f"edge.{entry.name}": f"http://{host}:{port}"}
        values |= {f"edge.{entry.name}.host": host, f"edge.{entry.name}.port": port}
        if entry.to == POSTGRES and ground.postgres is not None:
            values[f"edge.{entry.name}.database_url"] = ground.postgres.url(database, host=host, port=int(port))
    return values


def word(text: str) -> str:
    """A text as a part of a database's or a folder's name."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "x"


def leads_somewhere(ground: Ground, entry: EdgeEntry) -> bool:
    """Whether there is anything at the edge's end: of a database only where there is one."""
    return entry.to != POSTGRES or ground.postgres is not None


def edge_of(ground: Ground, entry: EdgeEntry) -> Edge:
    """The edge with its addresses; without a Toxiproxy it is its own upstream."""
    upstream = end(entry, ground.within)
    return Edge(
        name=entry.name,
        proxy=f"{ground.run_id}.{entry.name}",
        listen=upstream if ground.toxiproxy is None else f"{ground.host}:{ground.edges[entry.name]}",
        upstream=upstream,
        at=entrance(ground, entry, ground.at),
        past=end(entry, ground.at),
        to=entry.to,
        relayed=ground.relayed,
    )


def entrance(ground: Ground, entry: EdgeEntry, places: Places) -> str:
    """host:port where an edge is entered; without a Toxiproxy at its end."""
    return end(entry, places) if ground.toxiproxy is None else places.edges[entry.name]


def end(entry: EdgeEntry, places: Places) -> str:
    """host:port of what an edge leads to."""
    return (places.postgres or entry.to) if entry.to == POSTGRES else places.services.get(entry.to, entry.to)


def filled_sources(target: TargetFile, values: Mapping[str, str]) -> Iterator[Source]:
    """The file's sources, ready to be read."""
    for entry in target.source:
        where = f"{target.path}: [[source]] {entry.name}"
        control = None if entry.control is None else fill(entry.control, values, where=f"{where}: control")
        yield Source(
            name=entry.name,
            kind=entry.kind,
            url=fill(entry.url, values, where=f"{where}: url").rstrip("/"),
            headers={key: fill(text, values, where=f"{where}: headers.{key}") for key, text in entry.headers.items()},
            control_url=None if control is None else control.rstrip("/"),
            complete=entry.complete,
            attribution=entry.attribution,
            clock=entry.clock,
        )


def controls(sources: Sequence[Source]) -> Iterator[tuple[str, ProviderControl]]:
    """Provider -> its control API, of the ledgers that have one."""
    for source in sources:
        if source.kind is SourceKind.LEDGER and source.control_url is not None:
            headers = {name.lower(): value for name, value in source.headers.items()}
            url = source.control_url.removesuffix("/control")
            yield source.name, ProviderControl(url=url, key=headers.get(CONTROL_KEY, ""))


def rollout_of(ground: Ground, values: Mapping[str, str]) -> Rollout | None:
    """How the target is upgraded, ready to be done."""
    target, entry = ground.target, ground.target.rollout
    if entry is None:
        return None
    where = f"{target.path}: [rollout]"
    return Rollout(
        old=entry.old,
        new=entry.new,
        control=fill(entry.control, values, where=f"{where}: control").rstrip("/"),
        token=fill(entry.token, values, where=f"{where}: token"),
        url=f"http://{ground.within.services[entry.new]}",
        probe=fill(entry.probe, values, where=f"{where}: probe"),
        header=entry.header,
    )


def expected_of(ground: Ground, values: Mapping[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Services that somebody else starts -> the environment that they would have had from us.

    What has no value because its part was not started (a database's address) is left out.
    """
    ours = {entry.name for entry in ground.started()}
    for entry in ground.target.service:
        if entry.name not in ours:
            yield (
                entry.name,
                dict(_fillable(entry, {**values, **_own(ground, entry)})),
            )


def _own(ground: Ground, entry: ServiceEntry) -> dict[str, str]:
    """What has a value in one service only; its folder is whoever's who starts it."""
    return {"host": ground.host, "port": str(ground.services[entry.name]), "release": entry.release}


def _fillable(entry: ServiceEntry, words: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for key, text in entry.environment.items():
        if placeholders(text, where=key) <= words.keys():
            yield key, fill(text, words, where=key)
