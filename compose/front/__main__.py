"""`python -m compose.front`: the process before the payment API, until it is told to stop; settings from FRONT_*.

Exit codes: 0 told to stop, 2 wrong arguments or environment.
"""

import os
import sys

import uvloop

from compose.environment import SettingMissing
from compose.front.server import serve
from compose.front.settings import read_settings


def main(arguments: list[str]) -> int:
    """Serve; returns the exit code."""
    if arguments:
        sys.stderr.write("usage: python -m compose.front\n")
        return 2
    try:
        settings = read_settings(os.environ)
        uvloop.run(serve(settings))
    except (SettingMissing, OSError) as exc:
        sys.stderr.write(f"front: {exc}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
