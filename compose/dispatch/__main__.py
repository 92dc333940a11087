"""`python -m compose.dispatch`: take releases until told to stop. Exit codes: 0 told to stop, 2 wrong environment."""

import os
import sys

from compose.dispatch.server import serve
from compose.dispatch.settings import read_settings
from compose.environment import SettingMissing


def main(arguments: list[str]) -> int:
    """Serve with settings from DISPATCH_*."""
    if arguments:
        sys.stderr.write("usage: python -m compose.dispatch\n")
        return 2
    try:
        serve(read_settings(os.environ))
    except (SettingMissing, OSError) as exc:
        sys.stderr.write(f"dispatch: {exc}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
