"""Which known.toml does a run take along, and is it fit for use?

Asked before anything is started; what it means stands in `harness.known_breaches`.
"""

from collections.abc import Mapping
from pathlib import Path

from harness.errors import UsageError
from harness.known_breaches import KNOWN_FILE, Unfit, parse_known
from harness.targets.template import nearest


def file_asked_for(given: str) -> Path | None:
    """The file that was named, else ./known.toml where it is there, else none."""
    if given:
        return Path(given)
    default = Path(KNOWN_FILE)
    return default if default.is_file() else None


def read_known(path: Path | None, scenarios: Mapping[str, object] | None = None) -> bytes | None:
    """A file's bytes, fit for use, or None for no file; raises UsageError, naming the file, where they are not.

    `scenarios` has the names that there are, where they are known.
    """
    if path is None:
        return None
    from harness.checks import CHECKS  # noqa: PLC0415  # takes a quarter of a second, and few runs have such a file

    try:
        raw = path.read_bytes()
        named = {breach.scenario for breach in parse_known(raw, CHECKS)}
    except OSError as exc:
        raise UsageError(f"known breaches: {path} cannot be read: {exc.strerror}") from exc
    except Unfit as exc:
        raise UsageError(f"known breaches: {path}: {exc}") from exc
    if scenarios is not None:
        for name in sorted(named - scenarios.keys()):
            raise UsageError(f"known breaches: {path}: unknown scenario {name!r}{nearest(name, scenarios)}")
    return raw
