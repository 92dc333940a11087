"""What does the environment say about this process?"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from compose.environment import Variables


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """One dispatch process."""

    host: str
    """Address to listen on."""
    port: int
    data: Path
    """Folder of the ledger; made where it does not exist."""
    key: str
    """Bearer token of whoever may release."""
    control_key: str


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read all DISPATCH_* variables, or raise SettingMissing for the first that is wrong."""
    variables = Variables(environ=environ, owner="dispatch")
    return Settings(
        host=variables.host("DISPATCH"),
        port=variables.integer("DISPATCH_PORT"),
        data=Path(variables.text("DISPATCH_DATA")),
        key=variables.text("DISPATCH_KEY"),
        control_key=variables.text("DISPATCH_CONTROL_KEY"),
    )
