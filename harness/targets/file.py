"""What does a target file say, and is it possible?

TOML, parsed by pydantic into values that never change; what refers to something
else in the file (an edge to a service, a placeholder) is checked here, so that
nothing is started before the file is known to be whole. Commands run in `root`,
a folder relative to the file's own, which is the default.

Placeholders in strings: {python} {run_id} {seed} {build} {defects} {database}
{service.NAME} (URL) {edge.NAME} (URL of its proxy) {edge.NAME.host}
{edge.NAME.port} {edge.NAME.database_url} (of an edge to postgres) {secret.NAME}
(random for each stack) {window.FIELD_ms} {setting.NAME} (the scenario's, else that
of [defaults], which names all there are); in a service also {port} and {data}, its
own port and folder, {host}, the address to listen on, and {release}, the release that it is started as.

A [[service]] may say `like = "other"`: it then has whatever the other says, where it does not say it itself, and
both environments together.
"""

import dataclasses
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.errors import TargetFileError
from harness.profile import Windows
from harness.targets.real_providers import refuse_real_providers, texts_of
from harness.targets.source import Attribution, SourceClock, SourceKind
from harness.targets.template import nearest, placeholders

REFERENCE = Path(__file__).resolve().parents[2] / "compose" / "reference.toml"
"""The target file where none is named."""
CUSTOMER = "customer"
"""The edge that customers' requests travel on, where the file names no base URL."""
POSTGRES = "postgres"
TOXIPROXY = "toxiproxy"
ADDRESS = re.compile(r"[A-Za-z0-9.\-\[\]:]+:\d{1,5}")
SECRET = re.compile(r"secret\.[a-z0-9_-]+")
PLAIN = frozenset({"python", "run_id", "seed", "build", "defects"})
OWN = frozenset({"host", "port", "data", "release"})

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
SettingName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Command = Annotated[tuple[str, ...], Field(min_length=1)]


class _Part(BaseModel):
    """What holds for every table: nothing unknown, nothing changes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class ServiceEntry(_Part):
    """[[service]]: a process that the stack starts."""

    name: Name
    group: Name
    """What `--only` names: "providers", "api"."""
    command: Command
    ready: str = "/healthz"
    """Path that answers 2xx once the service is up."""
    environment: Mapping[str, str] = {}
    release: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")] = "r1"
    """What {release} stands for, unless a fault starts it as another."""
    on_demand: bool = False
    """Stands by: started by a fault (an upgrade), not with the stack."""


class RolloutEntry(_Part):
    """[rollout]: how a service is upgraded, by a front that moves its users; fields of `stack.parts.Rollout`."""

    old: Name
    new: Name
    control: str
    token: str
    probe: str
    header: str


class EdgeEntry(_Part):
    """[[edge]]: a proxy in front of something."""

    name: Name
    to: str
    """A service's name, "postgres", or host:port."""


class SourceEntry(_Part):
    """[[source]]: where evidence is read; the fields of `harness.targets.source.Source`, as templates."""

    name: Name
    kind: SourceKind
    url: str
    headers: Mapping[str, str] = {}
    control: str | None = None
    complete: bool = True
    attribution: Attribution = Attribution.ORDER
    clock: SourceClock = SourceClock.UTC


class DefectsEntry(_Part):
    """[defects]: a command that prints {"defects": {name: line}, "builds": {name: [defect, ...]}}."""

    command: Command


class PostgresEntry(_Part):
    """[postgres]: the stack needs a database; its name begins like this."""

    database: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,15}$")]


class ComposeEntry(_Part):
    """[compose]: the same target in containers; each [[service]] is the compose file's service of that name."""

    file: str
    """The compose file, from `root`. A service's port, {port}, is the one that it exposes there."""
    data: Annotated[str, Field(pattern=r"^/")] = "/data"
    """{data}: the folder in a container that outlives its end, and a volume."""
    postgres: Name = "postgres"
    """The service that is the database; its user and password are POSTGRES_USER and POSTGRES_PASSWORD."""
    toxiproxy: Name = "toxiproxy"


class CommandsEntry(_Part):
    """[commands]: how a target of one's own is started and stopped around each scenario."""

    start: Command | None = None
    stop: Command | None = None


class TargetFile(_Part):
    """A whole target file."""

    schema_version: Literal[1]
    name: Name
    adapter: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
    """module:Class of the adapter; the module is found from `root` too."""
    root: str = "."
    base_url: Annotated[str, Field(pattern=r"^https?://")] | None = None
    """Where customers' requests go; None: through the edge "customer"."""
    status_url: str | None = None
    """Where the status page is, as a template; None: where customers' requests go."""
    allow_hosts: tuple[str, ...] = ()
    settings: Mapping[str, str] = {}
    """What the adapter's constructor is given."""
    defaults: Mapping[SettingName, str | int] = {}
    """What a scenario may set (a capacity, say) -> what holds where it does not: `{setting.NAME}`."""
    defects: DefectsEntry | None = None
    postgres: PostgresEntry | None = None
    compose: ComposeEntry | None = None
    rollout: RolloutEntry | None = None
    service: tuple[ServiceEntry, ...] = ()
    edge: tuple[EdgeEntry, ...] = ()
    source: tuple[SourceEntry, ...] = ()
    commands: CommandsEntry = CommandsEntry()
    waivers: Mapping[str, str] = {}
    """Check -> reason why the target is not held to it."""
    path: Path = Field(default=Path(), exclude=True)
    """The file itself; set by `load_target`."""

    @property
    def folder(self) -> Path:
        """Where the file's commands run."""
        return (self.path.parent / self.root).resolve()

    @property
    def groups(self) -> frozenset[str]:
        """What `--only` may name."""
        parts = {service.group for service in self.service}
        return frozenset(parts | ({TOXIPROXY} if self.edge else set()) | ({POSTGRES} if self.postgres else set()))

    def strings(self) -> Iterator[tuple[str, str, bool]]:
        """Every string with placeholders: where it stands, itself, and whether it is a service's own."""
        for service in self.service:
            at = f"[[service]] {service.name}"
            yield from ((f"{at}: command", part, True) for part in service.command)
            yield from ((f"{at}: environment.{key}", text, True) for key, text in service.environment.items())
        for source in self.source:
            at = f"[[source]] {source.name}"
            yield f"{at}: url", source.url, False
            yield from ((f"{at}: headers.{key}", text, False) for key, text in source.headers.items())
            if source.control is not None:
                yield f"{at}: control", source.control, False
        if self.status_url is not None:
            yield "status_url", self.status_url, False
        yield from ((f"[settings] {key}", text, False) for key, text in self.settings.items())
        if self.rollout is not None:
            for key in ("control", "token", "probe"):
                yield f"[rollout] {key}", getattr(self.rollout, key), False
        for key, command in (("start", self.commands.start), ("stop", self.commands.stop)):
            yield from ((f"[commands] {key}", part, False) for part in command or ())

    def secrets(self) -> frozenset[str]:
        """Names of the secrets that the file asks for, without their prefix."""
        names = {name for where, text, _ in self.strings() for name in placeholders(text, where=where)}
        return frozenset(name.removeprefix("secret.") for name in names if SECRET.fullmatch(name))

    def vocabulary(self) -> frozenset[str]:
        """Every placeholder that has a value everywhere in this file, secrets left out."""
        words = set(PLAIN)
        words |= {f"window.{field.name}" for field in dataclasses.fields(Windows)}
        words |= {f"setting.{name}" for name in self.defaults}
        words |= {f"service.{service.name}" for service in self.service}
        for edge in self.edge:
            words |= {f"edge.{edge.name}{part}" for part in ("", ".host", ".port")}
            words |= {f"edge.{edge.name}.database_url"} if edge.to == POSTGRES else set()
        return frozenset(words | ({"database"} if self.postgres else set()))

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for kind, names in (
            ("service", [service.name for service in self.service]),
            ("edge", [edge.name for edge in self.edge]),
            ("source", [source.name for source in self.source]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"[[{kind}]] {twice[0]} stands there twice")
        services = tuple(service.name for service in self.service)
        for edge in self.edge:
            if edge.to == POSTGRES and self.postgres is None:
                raise ValueError(f"[[edge]] {edge.name}: leads to postgres, so the file needs [postgres]")
            if edge.to not in {*services, POSTGRES} and not ADDRESS.fullmatch(edge.to):
                raise ValueError(
                    f"[[edge]] {edge.name}: to = {edge.to!r} is neither a service nor postgres nor host:port"
                    + nearest(edge.to, services)
                )
        if self.base_url is None and CUSTOMER not in {edge.name for edge in self.edge}:
            raise ValueError("no base_url and no [[edge]] named customer: say where customers' requests go")
        if self.rollout is not None:
            by_name = {service.name: service for service in self.service}
            for name, stands_by in ((self.rollout.old, False), (self.rollout.new, True)):
                if name not in by_name or by_name[name].on_demand is not stands_by:
                    wanted = "on demand" if stands_by else "with the stack"
                    raise ValueError(f"[rollout] {name}: there is no [[service]] of that name that starts {wanted}")
        return self._words_known()

    def _words_known(self) -> Self:
        words = self.vocabulary()
        for where, text, own in self.strings():
            known = words | (OWN if own else frozenset())
            for name in sorted(placeholders(text, where=where)):
                if name not in known and not SECRET.fullmatch(name):
                    raise ValueError(f"{where}: {{{name}}} is unknown{nearest(name, known)}")
        return self


def load_target(path: Path) -> TargetFile:
    """Read a target file; raises TargetFileError, one line, where it cannot be read or says something impossible.

    Raises HostNotAllowed where it names a real payment provider's host, wherever that is.
    """
    try:
        with path.open("rb") as file:
            document = tomllib.load(file)
    except OSError as exc:
        raise TargetFileError(
            f"target file {path} cannot be read: {exc.strerror or exc}; "
            "name one by --target, or begin with `harness init`"
        ) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise TargetFileError(f"target file {path} is no TOML: {exc}") from exc
    document = _alike(document)
    if "path" in document:
        raise TargetFileError(f"target file {path}: path: there is no such key")
    try:
        target = TargetFile.model_validate({**document, "path": path.resolve()})
    except TargetFileError as exc:
        raise TargetFileError(f"target file {path}: {exc}") from exc
    except ValidationError as exc:
        raise TargetFileError(f"target file {path}: {'; '.join(_sentences(exc))}") from exc
    if not target.folder.is_dir():
        raise TargetFileError(f"target file {path}: root: {target.folder} is no folder")
    refuse_real_providers((f"target file {path}: {where}", text) for where, text in texts_of(document))
    return target


def _alike(document: dict[str, Any]) -> dict[str, Any]:
    """The document with each service that is like another spelled out; what is no such thing is left to the model."""
    services = document.get("service")
    if not isinstance(services, list) or not all(isinstance(entry, dict) for entry in services):
        return document
    named = {entry.get("name"): entry for entry in services if "like" not in entry}

    def whole(entry: dict[str, Any]) -> dict[str, Any]:
        other = named.get(entry.get("like"))
        if other is None:
            return entry
        environment = {**other.get("environment", {}), **entry.get("environment", {})}
        return {**other, **{key: value for key, value in entry.items() if key != "like"}, "environment": environment}

    return {**document, "service": [whole(entry) for entry in services]}


def _sentences(exc: ValidationError) -> Iterator[str]:
    """What is wrong, one clause each: key and words, without pydantic's preamble."""
    for error in exc.errors(include_url=False, include_input=False):
        key = ".".join(str(part) for part in error["loc"])
        message = error["msg"].removeprefix("Value error, ")
        yield f"{key}: {message}" if key else message
