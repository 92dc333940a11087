"""Start the payment API, or say which defects it can be started with.

python -m compose.payment_api            serve, settings from PAYMENT_API_*
python -m compose.payment_api defects    JSON: every defect in one line, every build
"""

import json
import logging
import math
import os
import sys
from typing import TYPE_CHECKING

from compose.payment_api.defects import BUILDS, LINES, Defect

if TYPE_CHECKING:
    from compose.payment_api.settings import Settings

KEEP_ALIVE_S = 30
"""Longer than customers think between two requests, so that no connection closes under their next one."""
STOP_DEADLINES = 3
"""A stop waits so many deadlines for requests under way; what they began is adopted by whoever comes next."""


def main(arguments: list[str]) -> int:
    """Returns the exit code: 0, or 2 where arguments or environment are wrong."""
    if arguments == ["defects"]:
        print(json.dumps({"defects": dict(LINES), "builds": {name: list(all_) for name, all_ in BUILDS.items()}}))  # noqa: T201 - its answer
        return 0
    if arguments:
        sys.stderr.write("usage: python -m compose.payment_api [defects]\n")
        return 2
    return _serve()


def _serve() -> int:
    import uvicorn  # noqa: PLC0415 - the list of defects is asked for often, and must not wait for this
    from prometheus_client import disable_created_metrics  # noqa: PLC0415

    from compose.environment import SettingMissing  # noqa: PLC0415
    from compose.payment_api.app import create_app  # noqa: PLC0415
    from compose.payment_api.settings import read_settings  # noqa: PLC0415
    from compose.payment_api.tracing import LINES, name_trace  # noqa: PLC0415

    lines = logging.StreamHandler()
    lines.addFilter(name_trace)
    logging.basicConfig(level=logging.WARNING, format=LINES, handlers=[lines])
    try:
        settings = read_settings(os.environ)
    except SettingMissing as exc:
        sys.stderr.write(f"payment API: {exc}\n")
        return 2
    disable_created_metrics()  # type: ignore[no-untyped-call]  # one more series for each, which nobody asks for
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        headers=[("X-Build", settings.release.name)],
        timeout_graceful_shutdown=_stop_limit_s(settings),
    )
    return 0


def _stop_limit_s(settings: "Settings") -> int:
    drops = Defect.UPGRADE_DROPS_IN_FLIGHT in settings.defects
    return 0 if drops else math.ceil(STOP_DEADLINES * settings.deadline_s)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
