"""What does the environment say about this provider?"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class SettingMissing(Exception):
    """An environment variable is missing or unreadable; the message names it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """One provider process."""

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
    return Settings(
        port=_integer(environ, "PROVIDER_PORT"),
        data=Path(_text(environ, "PROVIDER_DATA")),
        key=_text(environ, "PROVIDER_KEY"),
        control_key=_text(environ, "PROVIDER_CONTROL_KEY"),
        seed=_integer(environ, "PROVIDER_SEED"),
        notice_schedule_ms=_pauses(environ, "PROVIDER_NOTICE_SCHEDULE_MS"),
    )


def _text(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise SettingMissing(f"{name} is not set: set it in the environment of this provider")
    return value


def _integer(environ: Mapping[str, str], name: str) -> int:
    value = _text(environ, name)
    try:
        return int(value)
    except ValueError as exc:
        raise SettingMissing(f"{name} is {value!r}: give an integer") from exc


def _pauses(environ: Mapping[str, str], name: str) -> tuple[int, ...]:
    value = _text(environ, name)
    try:
        pauses = tuple(int(part) for part in value.split(","))
    except ValueError as exc:
        raise SettingMissing(f'{name} is {value!r}: give milliseconds with commas, such as "500,500,1000"') from exc
    if any(pause < 0 for pause in pauses):
        raise SettingMissing(f"{name} is {value!r}: a pause cannot be negative")
    return pauses
