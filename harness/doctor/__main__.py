"""Looks at a target in a process of its own, for `harness doctor`: `python -m harness.doctor ASKED`.

On gevent, as a run is; it is patched in before anything else is imported, as Locust does.
"""

import signal
import sys
import traceback

import gevent
from gevent import monkey

monkey.patch_all()

import msgspec  # noqa: E402  # after the patch

from harness.doctor.examining import examine  # noqa: E402
from harness.doctor.looks import Asked, Look, lines  # noqa: E402
from harness.errors import ExitCode, HarnessError  # noqa: E402


def main(argument: str) -> int:
    """Look, print a line for each look, and return the exit code; a signal ends it, and first what it started."""
    end_in_good_order(signal.SIGINT, signal.SIGTERM)
    try:
        return int(examine(msgspec.json.decode(argument, type=Asked), _print))
    except KeyboardInterrupt:
        print("harness: interrupted; what was started has ended", file=sys.stderr)  # noqa: T201
        return int(ExitCode.UNDECIDED)
    except HarnessError as error:
        print(f"harness: {error}", file=sys.stderr)  # noqa: T201
        return int(error.exit_code)
    except Exception as error:  # noqa: BLE001  # the last stage: Python would exit with 1, which means a broken promise
        traceback.print_exc()
        print(f"harness: failed: {type(error).__name__}: {error}; see whether the adapter did", file=sys.stderr)  # noqa: T201
        return int(ExitCode.HARNESS_FAILED)


def end_in_good_order(*numbers: signal.Signals) -> None:
    """The first of these signals ends what this greenlet does as Ctrl-C would; further ones find it ending."""
    working = gevent.getcurrent()
    struck: list[object] = []

    def end() -> None:
        if not struck:
            struck.append(None)
            gevent.kill(working, KeyboardInterrupt)

    for number in numbers:
        gevent.signal_handler(number, end)


def _print(look: Look) -> None:
    print(lines(look), flush=True)  # noqa: T201  # a command line


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
