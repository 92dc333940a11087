"""`python -S -E healthy.py PORT PATH`: does the process in this container answer 2xx? (health check without curl)

The standard library's sockets only: a health check is run every few seconds in
every container, and 15 ms of it are enough.
"""

import socket
import sys

LIMIT_S = 2.0


def main(port: str, path: str) -> int:
    """0 where it does, 1 where it does not."""
    try:
        with socket.create_connection(("127.0.0.1", int(port)), timeout=LIMIT_S) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            return int(not connection.recv(64).startswith(b"HTTP/1.1 2"))
    except OSError:
        return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
