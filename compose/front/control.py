"""Who moves users between builds, and who looks at where they are?

    GET    /front/control/state        which build serves whom, since when, how it fares, every move so far
    PUT    /front/control/candidate    {"release", "url", "share"}: begin with a candidate, or change its share
    DELETE /front/control/candidate    roll it back
    POST   /front/control/promote      it becomes the stable build, once it serves everybody

Each needs the control token. Answers are JSON; a change answers the state after it.
A build that lost its users answers what it had begun: `in_flight` says how much.
"""

import hmac
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import msgspec

from compose.front.replies import json_reply, refusal
from compose.front.routes import Refused
from compose.front.rule import published
from compose.front.settings import is_url

if TYPE_CHECKING:
    from compose.front.customer import Request
    from compose.front.server import Front

ROOT = b"/front/control/"


class _Candidate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    release: Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9-]{0,39}$")]
    url: str
    share: Annotated[float, msgspec.Meta(ge=0, le=1)]


class Control:
    """Answers those who hold the control token."""

    def __init__(self, front: "Front") -> None:
        self._front = front
        self._wanted = f"Bearer {front.settings.control_token}".encode()

    def answer(self, request: "Request") -> bytes:
        """The answer to a request below /front/."""
        if not request.url.startswith(ROOT) or not hmac.compare_digest(request.token or b"", self._wanted):
            return refusal(404, "not_found", "No such thing here.")
        match request.method, request.url.removeprefix(ROOT):
            case b"GET", b"state":
                return json_reply(200, self._state())
            case b"PUT", b"candidate":
                return self._change(lambda: self._move(request.body))
            case b"DELETE", b"candidate":
                return self._change(self._roll_back)
            case b"POST", b"promote":
                return self._change(self._promote)
        return refusal(404, "not_found", "No such thing here.")

    def _change(self, change: Callable[[], None]) -> bytes:
        try:
            change()
        except Refused as exc:
            return refusal(409, "not_now", str(exc))
        except msgspec.MsgspecError:
            return refusal(422, "invalid_request", "Give release, url and share, a number from 0 to 1.")
        return json_reply(200, self._state())

    def _move(self, body: bytes) -> None:
        front, wanted = self._front, msgspec.json.decode(body, type=_Candidate)
        if not is_url(wanted.url):
            raise Refused("the url is no http URL with host and port")
        before = front.routes.candidate
        if before is not None and front.builds[before].url != wanted.url:
            raise Refused(f"{before} answers at another url: roll it back first")
        front.routes.move(wanted.release, wanted.share)
        if before is None:
            front.add(wanted.release, wanted.url)

    def _roll_back(self) -> None:
        front = self._front
        front.builds[front.routes.roll_back("control", "asked for")].leave()

    def _promote(self) -> None:
        front = self._front
        front.builds[front.routes.promote()].leave()

    def _state(self) -> dict[str, object]:
        front = self._front
        routes = front.routes
        shares = {routes.stable: 1.0 - routes.share} | ({routes.candidate: routes.share} if routes.candidate else {})
        return {
            "stable": routes.stable,
            "candidate": routes.candidate,
            "share": routes.share,
            "builds": {
                release: {
                    "url": build.url,
                    "share": shares.get(release, 0.0),
                    "since_ns": build.since_ns,
                    "in_flight": build.in_flight,
                    "answers": build.tally.answers,
                    "failures": build.tally.failures,
                }
                for release, build in front.builds.items()
            },
            "moves": [asdict(move) for move in routes.moves],
            "rule": published(),
            "pid": os.getpid(),
            "monotonic_ns": time.monotonic_ns(),
        }
