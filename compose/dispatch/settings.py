"""What does the environment say about this process?"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class SettingMissing(Exception):
    """An environment variable is missing or unreadable; the message names it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """One dispatch process."""

    port: int
    data: Path
    """Folder of the ledger; made where it does not exist."""
    key: str
    """Bearer token of whoever may release."""
    control_key: str


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read all DISPATCH_* variables, or raise SettingMissing for the first that is wrong."""
    port = _text(environ, "DISPATCH_PORT")
    if not port.isdecimal():
        raise SettingMissing(f"DISPATCH_PORT is {port!r}: give a number")
    return Settings(
        port=int(port),
        data=Path(_text(environ, "DISPATCH_DATA")),
        key=_text(environ, "DISPATCH_KEY"),
        control_key=_text(environ, "DISPATCH_CONTROL_KEY"),
    )


def _text(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise SettingMissing(f"{name} is not set: set it in the environment of dispatch")
    return value
