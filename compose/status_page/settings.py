"""What does the environment say about this status page?"""

from collections.abc import Mapping
from dataclasses import dataclass

from compose.payment_api.defects import Defect, UnknownName, switched_on


class SettingMissing(Exception):
    """An environment variable is missing or unreadable; the message names it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """One process of the status page."""

    port: int
    apis: tuple[str, ...]
    """Base URLs of every process of the payment API that may be at work; one that was never heard from is none."""
    operator_token: str
    defects: frozenset[Defect]


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read all STATUS_PAGE_* variables, or raise SettingMissing for the first that is wrong."""
    build = environ.get("STATUS_PAGE_BUILD", "fixed") or "fixed"
    names = [name.strip() for name in environ.get("STATUS_PAGE_DEFECTS", "").split(",") if name.strip()]
    try:
        defects = switched_on(build, names)
    except UnknownName as exc:
        raise SettingMissing(f"STATUS_PAGE_BUILD or STATUS_PAGE_DEFECTS: {exc}") from exc
    port = _text(environ, "STATUS_PAGE_PORT")
    if not port.isdecimal():
        raise SettingMissing(f"STATUS_PAGE_PORT is {port!r}: give a whole number")
    return Settings(
        port=int(port),
        apis=tuple(url.strip().rstrip("/") for url in _text(environ, "STATUS_PAGE_APIS").split(",")),
        operator_token=_text(environ, "STATUS_PAGE_OPERATOR_TOKEN"),
        defects=defects,
    )


def _text(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise SettingMissing(f"{name} is not set: set it in the environment of the status page")
    return value
