"""What does the environment say about this status page?"""

from collections.abc import Mapping
from dataclasses import dataclass

from compose.environment import Variables
from compose.payment_api.defects import Defect


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """One process of the status page."""

    host: str
    """Address to listen on."""
    port: int
    apis: tuple[str, ...]
    """Base URLs of every process of the payment API that may be at work; one that was never heard from is none."""
    operator_token: str
    defects: frozenset[Defect]


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read all STATUS_PAGE_* variables, or raise SettingMissing for the first that is wrong."""
    variables = Variables(environ=environ, owner="the status page")
    _, defects = variables.build("STATUS_PAGE")
    return Settings(
        host=variables.host("STATUS_PAGE"),
        port=variables.integer("STATUS_PAGE_PORT"),
        apis=tuple(url.strip().rstrip("/") for url in variables.text("STATUS_PAGE_APIS").split(",")),
        operator_token=variables.text("STATUS_PAGE_OPERATOR_TOKEN"),
        defects=defects,
    )
