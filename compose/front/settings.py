"""What does the environment say about this front?"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from compose.environment import SettingMissing, Variables
from compose.payment_api.defects import Defect


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """One process of the front."""

    host: str
    """Address to listen on."""
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
    variables = Variables(environ=environ, owner="the front")
    build, defects = variables.build("FRONT")
    port = variables.integer("FRONT_PORT")
    url = variables.text("FRONT_URL")
    if not is_url(url):
        raise SettingMissing(f"FRONT_URL is {url!r}: give an http URL with host and port")
    return Settings(
        host=variables.host("FRONT"),
        port=port,
        release=environ.get("FRONT_RELEASE", "r1") or "r1",
        url=url,
        control_token=variables.text("FRONT_CONTROL_TOKEN"),
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
