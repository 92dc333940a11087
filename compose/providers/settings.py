"""What does the environment say about this provider?"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from compose.environment import SettingMissing, Variables


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """One provider process."""

    host: str
    """Address to listen on."""
    port: int
    data: Path
    """Folder of the ledger; made where it does not exist."""
    key: str
    """The merchant's key: bearer token of each call, secret of each notice's signature."""
    control_key: str
    seed: int
    notice_schedule_ms: tuple[int, ...]
    """Pauses between the deliveries of a notice that is not acknowledged."""


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read all PROVIDER_* variables, or raise SettingMissing for the first that is wrong."""
    variables = Variables(environ=environ, owner="this provider")
    return Settings(
        host=variables.host("PROVIDER"),
        port=_integer(variables, "PROVIDER_PORT"),
        data=Path(variables.text("PROVIDER_DATA")),
        key=variables.text("PROVIDER_KEY"),
        control_key=variables.text("PROVIDER_CONTROL_KEY"),
        seed=_integer(variables, "PROVIDER_SEED"),
        notice_schedule_ms=_pauses(variables, "PROVIDER_NOTICE_SCHEDULE_MS"),
    )


def _integer(variables: Variables, name: str) -> int:
    value = variables.text(name)
    try:
        return int(value)
    except ValueError as exc:
        raise SettingMissing(f"{name} is {value!r}: give an integer") from exc


def _pauses(variables: Variables, name: str) -> tuple[int, ...]:
    value = variables.text(name)
    try:
        pauses = tuple(int(part) for part in value.split(","))
    except ValueError as exc:
        raise SettingMissing(f'{name} is {value!r}: give milliseconds with commas, such as "500,500,1000"') from exc
    if any(pause < 0 for pause in pauses):
        raise SettingMissing(f"{name} is {value!r}: a pause cannot be negative")
    return pauses
