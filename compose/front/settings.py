"""What does the environment say about this front?"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from compose.payment_api.defects import Defect, UnknownName, switched_on


class SettingMissing(Exception):
    """An environment variable is missing or unreadable; the message names it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """One process of the front."""

    port: int
    release: str
    """Build that serves everybody at the start."""
    url: str
    """Where that build answers."""
    control_token: str
    build: str
    defects: frozenset[Defect]


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read all FRONT_* variables, or raise SettingMissing for the first that is wrong."""
    build = environ.get("FRONT_BUILD", "fixed") or "fixed"
    names = [name.strip() for name in environ.get("FRONT_DEFECTS", "").split(",") if name.strip()]
    try:
        defects = switched_on(build, names)
    except UnknownName as exc:
        raise SettingMissing(f"FRONT_BUILD or FRONT_DEFECTS: {exc}") from exc
    port = _text(environ, "FRONT_PORT")
    if not port.isdecimal():
        raise SettingMissing(f"FRONT_PORT is {port!r}: give a whole number")
    url = _text(environ, "FRONT_URL")
    if not is_url(url):
        raise SettingMissing(f"FRONT_URL is {url!r}: give an http URL with host and port")
    return Settings(
        port=int(port),
        release=environ.get("FRONT_RELEASE", "r1") or "r1",
        url=url,
        control_token=_text(environ, "FRONT_CONTROL_TOKEN"),
        build=build,
        defects=defects,
    )


def is_url(url: str) -> bool:
    """Whether a build can be reached there: plain http with host and port."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "http" and bool(parts.hostname) and bool(parts.port)
    except ValueError:
        return False


def _text(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise SettingMissing(f"{name} is not set: set it in the environment of the front")
    return value
