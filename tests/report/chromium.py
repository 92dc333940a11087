"""How does a test look at a page? With a real Chromium, over its own pipe, with no driver in between.

The DevTools protocol: JSON messages that end in a zero byte, on descriptors 3 and 4 of the browser.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
    "about:blank",
)
NO_NAMES = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
"""No host is found but this one."""
PUT = """
import fcntl, os, sys
pipes = [fcntl.fcntl(int(pipe), fcntl.F_DUPFD, 10) for pipe in sys.argv[1:3]]
for place, pipe in enumerate(pipes, 3):
    os.dup2(pipe, place)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""The protocol is spoken on descriptors 3 and 4: this puts them there, whatever they were, and becomes the browser."""
DRAWN = """
new Promise((drawn) => {
  const look = () => document.documentElement.dataset.drawn ? drawn(performance.now()) : setTimeout(look, 5);
  look();
})
"""


def find_chromium() -> str | None:
    """The browser on PATH; None where there is none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Tab:
    """One tab: what it is told, and what it said meanwhile."""

    def __init__(self, sends: int, answers: int, *, offline: bool) -> None:
        """`sends` and `answers` are descriptors."""
        self._rest = [b""]
        self._sends, self._answers, self._last, self._session = sends, answers, 0, ""
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        if offline:
            self.call(
                "Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1
            )

    def call(self, method: str, **parameters: Any) -> Any:
        """One command and its result; events that come before it are kept."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        message |= {"sessionId": self._session} if self._session else {}
        with open(self._sends, "wb", closefd=False) as pipe:  # a descriptor, no path
            pipe.write(json.dumps(message).encode() + b"\0")
        while True:
            told = self._read()
            if told.get("id") == self._last:
                assert "error" not in told, f"{method}: {told['error']}"
                return told["result"]
            self.events.append(told)

    def open(self, path: Path, *, width: int = 1280, height: int = 800, dark: bool = False) -> float:
        """Open a file and wait until all is drawn; returns how long that took, in ms by the page's own clock."""
        self.visit(path.as_uri(), width=width, height=height, dark=dark)
        return float(self.run(DRAWN))

    def visit(self, url: str, *, width: int = 1280, height: int = 800, dark: bool = False) -> None:
        """Open an address and wait until its document is there."""
        self.size(width, height)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.events.clear()
        self.call("Page.navigate", url=url)
        while not any(event["method"] == "Page.domContentEventFired" for event in self.events):
            self.events.append(self._read())

    def size(self, width: int, height: int) -> None:
        """Make the window as large as that, in CSS pixels."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        done = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def until(self, expression: str, limit_s: float = 60) -> None:
        """Wait until it is true in the page; fails the test where it never is."""
        look = f"!!({expression}) ? met(true) : performance.now() > end ? met(false) : setTimeout(look, 50)"
        end = f"const end = performance.now() + {limit_s * 1_000:g}"
        met = self.run(f"new Promise((met) => {{ {end}; const look = () => {{ {look} }}; look(); }})")
        assert met, f"not within {limit_s:g} s: {expression}"

    def press(self, key: str) -> None:
        """A key goes down and up; Enter and Tab are told by their names."""
        codes = {"Enter": (13, "\r"), "Tab": (9, "")}
        code, text = codes[key]
        told = {"key": key, "code": key, "windowsVirtualKeyCode": code, "text": text}
        self.call("Input.dispatchKeyEvent", type="keyDown", **told)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=key, windowsVirtualKeyCode=code)

    def picture(self, path: Path, *, whole: bool = False) -> Path:
        """A screenshot of what can be seen, or of the whole page."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))
        return path

    def printed(self) -> bytes:
        """The page as a printer gets it, as PDF."""
        return base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"])

    def complaints(self) -> list[str]:
        """What the page wrote to its console, or the browser about it."""
        methods = {"Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"}
        return [json.dumps(event["params"]) for event in self.events if event["method"] in methods]

    def requests(self) -> list[str]:
        """Every address that was asked for since the page was opened."""
        sent = [event for event in self.events if event["method"] == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent]

    def _read(self) -> dict[str, Any]:
        """The next message; what came of the one after it is kept."""
        while b"\0" not in self._rest[-1]:
            piece = os.read(self._answers, 1 << 20)
            assert piece, "the browser has ended"
            self._rest.append(piece)
        end, _, rest = self._rest[-1].partition(b"\0")
        message: dict[str, Any] = json.loads(b"".join([*self._rest[:-1], end]))
        self._rest = [rest]
        return message


@contextmanager
def chromium(program: str, *, loopback: bool = False) -> Iterator[Tab]:
    """A browser with one tab, cut off from every network, but for `loopback`; gone when the context ends."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    profile = tempfile.mkdtemp(prefix="harness-chromium-")
    put = [sys.executable, "-c", PUT, str(theirs_in), str(theirs_out)]
    command = [*put, program, f"--user-data-dir={profile}", NO_NAMES, *FLAGS]
    browser = subprocess.Popen(
        command, pass_fds=(theirs_in, theirs_out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        yield Tab(ours_out, ours_in, offline=not loopback)
    finally:
        os.close(ours_out)
        os.close(ours_in)
        browser.terminate()
        try:
            browser.wait(timeout=20)
        except subprocess.TimeoutExpired:
            browser.kill()
            browser.wait()
        shutil.rmtree(profile, ignore_errors=True)
