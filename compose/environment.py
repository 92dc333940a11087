"""How does a process of the reference system read its settings, and what does it say of one that is wrong?

All come from the environment; the first that is wrong is named, with what to do.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from compose.payment_api.defects import Defect, UnknownName, switched_on

LOOPBACK = "127.0.0.1"


class SettingMissing(Exception):
    """An environment variable is missing or unreadable; the message names it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Variables:
    """The environment of one process."""

    environ: Mapping[str, str]
    owner: str
    """What the process is called in a message: "the front"."""

    def text(self, name: str) -> str:
        """A variable that must be there; raises SettingMissing."""
        value = self.environ.get(name, "")
        if not value:
            raise SettingMissing(f"{name} is not set: set it in the environment of {self.owner}")
        return value

    def integer(self, name: str, otherwise: int | None = None) -> int:
        """A whole number, not below 0; `otherwise` where it is not set, or raises SettingMissing."""
        if otherwise is not None and not self.environ.get(name):
            return otherwise
        value = self.text(name)
        if not value.isdecimal():
            raise SettingMissing(f"{name} is {value!r}: give a whole number")
        return int(value)

    def host(self, prefix: str) -> str:
        """Address to listen on, of <prefix>_HOST; loopback where nothing is said: a container's network is its own."""
        return self.environ.get(f"{prefix}_HOST", "") or LOOPBACK

    def build(self, prefix: str) -> tuple[str, frozenset[Defect]]:
        """Build and defects, of <prefix>_BUILD and <prefix>_DEFECTS; raises SettingMissing for an unknown name."""
        build = self.environ.get(f"{prefix}_BUILD", "fixed") or "fixed"
        names = [name.strip() for name in self.environ.get(f"{prefix}_DEFECTS", "").split(",") if name.strip()]
        try:
            return build, switched_on(build, names)
        except UnknownName as exc:
            raise SettingMissing(f"{prefix}_BUILD or {prefix}_DEFECTS: {exc}") from exc
