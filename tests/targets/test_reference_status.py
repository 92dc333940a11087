"""Is the reference's status page read for what it says, and for nothing that it does not say?"""

import msgspec
import pytest

from harness.operation import Ending, Method, Outcome
from harness.targets.drive import drive
from harness.targets.protocol import Observation, Reply, Request, StatusPage
from harness.targets.reference import Reference


def seen(reply: Reply) -> Observation:
    asked: list[Request] = []

    def send(request: Request) -> Reply:
        asked.append(request)
        return reply

    told = drive(Reference({"token_secret": "s3", "operator_token": "op1"}).status(), send)
    assert [(request.method, request.path, request.headers) for request in asked] == [("GET", "/status", ())]
    return told


def page(status: str, **methods: str) -> Reply:
    rows = [{"method": name, "state": state, "since_utc_ms": 5} for name, state in methods.items()]
    body = msgspec.json.encode({"status": status, "since_utc_ms": 7, "methods": rows})
    return Reply(ending=Ending.ANSWERED, status=200, headers={"content-type": "application/json"}, body=body)


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (page("ok", wechat="ok", card="ok"), StatusPage(degraded=False, since_utc_ms=7)),
        (
            page("degraded", card="degraded", wechat="down", alipay="ok"),
            StatusPage(degraded=True, methods=(Method.WECHAT, Method.CARD), since_utc_ms=7),
        ),
        (page("degraded", cash="down"), StatusPage(degraded=True, since_utc_ms=7)),
    ],
)
def test_a_page_says_whether_and_which(reply: Reply, told: StatusPage) -> None:
    read = seen(reply)
    assert (read.outcome, read.page) == (Outcome.OK, told)


@pytest.mark.parametrize(
    "reply",
    [
        page("perhaps"),
        Reply(ending=Ending.ANSWERED, status=502, headers={"content-type": "application/json"}, body=b"{}"),
        Reply(ending=Ending.RESET),
    ],
)
def test_what_is_no_page_says_nothing(reply: Reply) -> None:
    read = seen(reply)
    assert (read.outcome, read.page) == (Outcome.INFO, None)
