"""Requests reach the build of their user, answers come back as they are, and nothing is sent twice."""

import asyncio
import json

import pytest

from compose.payment_api.defects import Defect
from tests.front.ground import Behind, Stage, answer, played, reply_of, request


async def cut_at_once(_: Behind, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def cut_in_the_middle(_: Behind, writer: asyncio.StreamWriter) -> None:
    writer.write(answer(body=b"x" * 100)[:-50])
    await writer.drain()
    writer.transport.abort()


async def fail(_: Behind, writer: asyncio.StreamWriter) -> None:
    writer.write(answer(500))


def test_a_request_travels_whole_and_its_answer_comes_back_as_it_is() -> None:
    async def story(stage: Stage) -> None:
        status, headers, body = await stage.ask("u-1.m", "/v1/orders?limit=2", "POST", b'{"a":1}')
        assert (status, headers["x-build"], body) == (200, "r1", b"{}")
        (heard,) = stage.builds["r1"].heard
        assert heard == (
            b"POST /v1/orders?limit=2 HTTP/1.1\r\nhost: front\r\nauthorization: Bearer u-1.m\r\n"
            b'idempotency-key: k-1\r\ncontent-length: 7\r\n\r\n{"a":1}'
        )

    played(story, Behind(release="r1"))


def test_connections_are_kept_on_both_sides_and_requests_answered_in_turn() -> None:
    async def story(stage: Stage) -> None:
        async with stage.connection() as (reader, writer):
            writer.write(b"".join(request("u-1.m", f"/{number}") for number in range(4)))
            for _ in range(4):
                assert (await reply_of(reader))[0] == 200
        paths = [heard.split()[1] for heard in stage.builds["r1"].heard]
        assert (paths, stage.builds["r1"].connections) == ([b"/0", b"/1", b"/2", b"/3"], 1)

    played(story, Behind(release="r1"))


@pytest.mark.parametrize(
    "path", ["/metrics", "/metrics/", "/metrics?x=1", "/metrics#x", "/%6Detrics", "http://front/metrics", "//metrics"]
)
def test_a_build_s_own_figures_are_not_for_customers_however_they_are_asked_for(path: str) -> None:
    async def story(stage: Stage) -> None:
        status, _, body = await stage.ask("u-1.m", path)
        assert (status, json.loads(body)["error"]["code"]) == (404, "not_found")
        assert stage.builds["r1"].heard == []

    played(story, Behind(release="r1"))


def test_a_build_that_refuses_connections_is_told_as_result_not_known() -> None:
    async def story(stage: Stage) -> None:
        stage.front.add("r1", "http://127.0.0.1:1")
        status, headers, body = await stage.ask("u-1.m", "/v1/orders", "POST", b"{}")
        assert (status, headers["retry-after"]) == (503, "1")
        assert json.loads(body)["error"]["code"] == "unavailable"

    played(story, Behind(release="r1"))


def test_a_request_that_met_a_dying_build_is_sent_once_and_told_as_not_known() -> None:
    async def story(stage: Stage) -> None:
        status, _, body = await stage.ask("u-1.m", "/v1/orders", "POST", b"{}")
        assert (status, json.loads(body)["error"]["code"]) == (503, "unavailable")
        assert len(stage.builds["r1"].heard) == 1

    played(story, Behind(release="r1", does=cut_at_once))


def test_an_answer_that_is_cut_in_its_middle_is_cut_for_the_customer() -> None:
    async def story(stage: Stage) -> None:
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await stage.ask("u-1.m")

    played(story, Behind(release="r1", does=cut_in_the_middle))


def test_what_is_no_request_is_refused_and_the_connection_closed() -> None:
    async def story(stage: Stage) -> None:
        async with stage.connection() as (reader, writer):
            writer.write(b"this is not HTTP\r\n\r\n")
            assert (await reply_of(reader))[0] == 400
            assert await reader.read() == b""
        assert stage.builds["r1"].heard == []

    played(story, Behind(release="r1"))


def test_users_keep_their_build_while_the_share_stands() -> None:
    async def story(stage: Stage) -> None:
        await stage.candidate("r2", 0.5)
        first = {user: (await stage.ask(f"u-{user}.m"))[1]["x-build"] for user in range(40)}
        again = {user: (await stage.ask(f"u-{user}.m"))[1]["x-build"] for user in range(40)}
        assert first == again
        assert set(first.values()) == {"r1", "r2"}

    played(story, Behind(release="r1"), Behind(release="r2"))


def test_a_notice_goes_to_the_build_that_asked_for_it_as_long_as_that_serves() -> None:
    async def story(stage: Stage) -> None:
        path = "/v1/notifications/card?build=r2"
        assert (await stage.ask(None, path, "POST", b"{}"))[1]["x-build"] == "r1"
        await stage.candidate("r2", 0.1)
        assert (await stage.ask(None, path, "POST", b"{}"))[1]["x-build"] == "r2"

    played(story, Behind(release="r1"), Behind(release="r2"))


def test_a_promoted_build_serves_all_and_the_old_one_finishes_what_it_had() -> None:
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow(build: Behind, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await go_on.wait()
        writer.write(answer(x_build=build.release))

    async def story(stage: Stage) -> None:
        waiting = asyncio.create_task(stage.ask("u-1.m"))
        await arrived.wait()
        await stage.candidate("r2", 1.0)
        told = await stage.control("POST", "promote")
        assert (told["stable"], told["candidate"], told["builds"]["r1"]["in_flight"]) == ("r2", None, 1)
        assert (await stage.ask("u-1.m"))[1]["x-build"] == "r2"
        go_on.set()
        assert (await waiting)[1]["x-build"] == "r1"
        told = await stage.control("GET", "state")
        assert (told["builds"]["r1"]["in_flight"], told["builds"]["r2"]["answers"]) == (0, 1)

    played(story, Behind(release="r1", does=slow), Behind(release="r2"))


@pytest.mark.parametrize("defects", [(), (Defect.NEVER_ROLLS_BACK,)])
def test_a_candidate_whose_error_rate_departs_loses_its_users(defects: tuple[Defect, ...]) -> None:
    async def story(stage: Stage) -> None:
        await stage.candidate("r2", 0.5)
        for user in range(80):
            await stage.ask(f"u-{user}.m")
        told = await stage.control("GET", "state")
        last = told["moves"][-1]
        if defects:
            assert (told["candidate"], last["by"]) == ("r2", "control")
        else:
            assert (told["candidate"], last["by"]) == (None, "front")
            assert told["builds"]["r2"]["failures"] == told["rule"]["answers_min"]
            assert "12 of 12 answers failed, 0 of" in last["why"]

    played(story, Behind(release="r1"), Behind(release="r2", does=fail), defects=defects)


def test_control_is_for_those_who_hold_its_token_and_says_why_not() -> None:
    async def story(stage: Stage) -> None:
        assert (await stage.ask("wrong", "/front/control/state"))[0] == 404
        assert (await stage.ask(None, "/front/control/state"))[0] == 404
        assert (await stage.control("POST", "promote"))["status"] == 409
        assert (await stage.control("DELETE", "candidate"))["status"] == 409
        assert (await stage.control("PUT", "candidate", {"release": "r2", "url": "ftp://x", "share": 0.5}))[
            "status"
        ] == 409
        assert (await stage.control("PUT", "candidate", {"release": "r2", "share": 2}))["status"] == 422
        told = await stage.candidate("r2", 0.25)
        assert (told["status"], told["share"], told["builds"]["r2"]["share"]) == (200, 0.25, 0.25)
        told = await stage.control("DELETE", "candidate")
        assert (told["candidate"], [move["by"] for move in told["moves"]]) == (None, ["control"] * 3)

    played(story, Behind(release="r1"), Behind(release="r2"))
