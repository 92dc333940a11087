"""Which hosts would a run speak to, as far as target file and environment name them?

Apart from what opens them, so that asking costs nothing.
"""

from collections.abc import Mapping

from harness.targets.file import ADDRESS, TargetFile

TOXIPROXY_URL = "TOXIPROXY_URL"
"""Variable that names a Toxiproxy of somebody else's."""
HARNESS_POSTGRES = "HARNESS_POSTGRES"
"""Variable that names a PostgreSQL of somebody else's."""


def addresses_of(target: TargetFile, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Every address that file and environment name themselves; those with a placeholder are ours, on loopback."""
    named = [target.base_url, target.status_url, environ.get(TOXIPROXY_URL), environ.get(HARNESS_POSTGRES)]
    named += [edge.to for edge in target.edge if ADDRESS.fullmatch(edge.to)]
    named += [text for source in target.source for text in (source.url, source.control)]
    return tuple(text for text in named if text and not text.startswith("{"))
