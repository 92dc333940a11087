"""Writes the dashboard's JSON anew: `python -m compose.grafana`."""

import json
import sys
from pathlib import Path

from compose.grafana.screen import dashboard

WIDTH = 110
"""What fits into so many columns stands on one line, so that a panel is read at a glance, and a change in a diff."""
FILE = Path(__file__).parent / "dashboards" / "payment-chaos.json"


def text() -> str:
    """The file, as it should be."""
    return _written(dashboard(), 0) + "\n"


def _written(value: object, depth: int) -> str:
    whole = json.dumps(value, ensure_ascii=False)
    if len(whole) + 2 * depth <= WIDTH or not isinstance(value, dict | list):
        return whole
    inner, outer = "\n" + "  " * (depth + 1), "\n" + "  " * depth
    if isinstance(value, list):
        return f"[{inner}{f',{inner}'.join(_written(each, depth + 1) for each in value)}{outer}]"
    parts = (f"{json.dumps(name)}: {_written(each, depth + 1)}" for name, each in value.items())
    return f"{{{inner}{f',{inner}'.join(parts)}{outer}}}"


def main() -> None:
    """Write it, and say whether anything changed."""
    before = FILE.read_text() if FILE.exists() else ""
    FILE.write_text(text())
    sys.stdout.write(f"{FILE.name}: {'nothing to change' if before == text() else 'written'}\n")


if __name__ == "__main__":
    main()
