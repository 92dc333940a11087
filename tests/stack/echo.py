"""A small HTTP server as a service of a test stack: standard library only.

Environment: ECHO_PORT; ECHO_FORK=1 leaves a child behind that holds the port;
ECHO_SAY, a last word before it ends at once; ECHO_DEAF=1 ignores SIGTERM;
ECHO_SILENT=1 listens nowhere. Answers its environment as JSON.
"""

import json
import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    """GET only."""

    def do_GET(self) -> None:
        body = json.dumps({"build": os.environ.get("ECHO_BUILD"), "pid": os.getpid(), "environment": dict(os.environ)})
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's name
        """Say nothing."""


def main() -> None:
    """Serve until a signal ends it."""
    if say := os.environ.get("ECHO_SAY"):
        sys.exit(say)
    if os.environ.get("ECHO_DEAF"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.environ.get("ECHO_SILENT"):
        time.sleep(600)
    server = HTTPServer(("127.0.0.1", int(os.environ["ECHO_PORT"])), Handler)
    if os.environ.get("ECHO_FORK") and os.fork() == 0:
        time.sleep(600)
    server.serve_forever()


if __name__ == "__main__":
    main()
