"""Start the payment API, or say which defects it can be started with.

python -m compose.payment_api            serve, settings from PAYMENT_API_*
python -m compose.payment_api defects    JSON: every defect in one line, every build
"""

import json
import logging
import os
import sys

from compose.payment_api.defects import BUILDS, LINES

LOOPBACK = "127.0.0.1"
KEEP_ALIVE_S = 30
"""Longer than customers think between two requests, so that no connection closes under their next one."""
STOP_LIMIT_S = 2
"""A stop waits so long for requests under way; what they began is taken up by the next start."""


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

    from compose.payment_api.app import create_app  # noqa: PLC0415
    from compose.payment_api.settings import SettingMissing, read_settings  # noqa: PLC0415

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    try:
        settings = read_settings(os.environ)
    except SettingMissing as exc:
        sys.stderr.write(f"payment API: {exc}\n")
        return 2
    uvicorn.run(
        create_app(settings),
        host=LOOPBACK,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_LIMIT_S,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
