"""Is an answer read the same however it is cut into reads, and no request sent that is two?"""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.wire import Answer, Garbled, RequestMalformed, encode
from harness.operation import Ending
from harness.targets.protocol import Request

WHOLE = (
    b"HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n"
    b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\nX-Empty:\r\nRetry-After: 2\r\n\r\nhello"
)
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n"
    b"3;name=value\r\nhel\r\n2\r\nlo\r\n0\r\nX-Trailer: 1\r\n\r\n"
)


@st.composite
def cuts(draw: st.DrawFn, whole: bytes) -> list[bytes]:
    at = sorted(draw(st.sets(st.integers(min_value=1, max_value=len(whole) - 1), max_size=12)))
    edges = [0, *at, len(whole)]
    return [whole[start:end] for start, end in pairwise(edges)]


@given(parts=cuts(WHOLE))
def test_an_answer_with_a_length_is_read_the_same_however_it_is_cut(parts: list[bytes]) -> None:
    answer = Answer(bodiless=False)
    for part in parts:
        assert not answer.whole
        answer.take(part)
    assert (answer.status, bytes(answer.body), answer.whole, answer.reusable) == (201, b"hello", True, True)
    assert answer.headers == {"content-length": "5", "x-empty": "", "retry-after": "2"}


@given(parts=cuts(CHUNKED))
def test_an_answer_in_chunks_is_read_the_same_however_it_is_cut(parts: list[bytes]) -> None:
    answer = Answer(bodiless=False)
    for part in parts:
        assert not answer.whole
        answer.take(part)
    assert (answer.status, bytes(answer.body), answer.whole, answer.reusable) == (200, b"hello", True, True)
    assert answer.headers == {"transfer-encoding": "chunked", "x-a": "1"}


@given(end=st.integers(min_value=0, max_value=len(WHOLE) - 1))
def test_an_answer_cut_anywhere_is_never_taken_for_whole(end: int) -> None:
    answer = Answer(bodiless=False)
    if end:
        answer.take(WHOLE[:end])
    assert not answer.whole
    assert not answer.ends_with_connection()
    head_ends = WHOLE.index(b"\r\n\r\nhello") + 4
    expected = Ending.CLOSED if end == 0 else Ending.CUT_HEADERS if end < head_ends else Ending.CUT_BODY
    assert answer.cut(Ending.CLOSED) is expected


@given(noise=st.binary(min_size=1, max_size=200))
def test_noise_raises_nothing_but_garbled(noise: bytes) -> None:
    answer = Answer(bodiless=False)
    try:
        answer.take(noise)
        answer.ends_with_connection()
    except Garbled:
        pass
    assert not answer.whole or noise.startswith(b"HTTP/") or b"HTTP/" in noise


@given(behind=st.binary(min_size=1, max_size=50))
def test_what_comes_behind_a_whole_answer_changes_nothing_in_it(behind: bytes) -> None:
    answer = Answer(bodiless=False)
    answer.take(WHOLE + behind)
    assert (answer.status, bytes(answer.body), answer.whole) == (201, b"hello", True)
    assert answer.headers["retry-after"] == "2"


@pytest.mark.parametrize(
    ("whole", "reusable"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nnoise", False),
    ],
)
def test_a_connection_is_kept_where_both_sides_may(whole: bytes, reusable: bool) -> None:
    answer = Answer(bodiless=False)
    answer.take(whole)
    assert (answer.whole, answer.reusable) == (True, reusable)


LINE_BREAKS = st.text(st.characters(codec="utf-8")).filter(lambda text: re.search(r"[\x00-\x20\x7f-\U0010ffff]", text))


@given(path=LINE_BREAKS)
def test_a_path_that_is_not_quoted_is_refused(path: str) -> None:
    with pytest.raises(RequestMalformed, match="no request line"):
        encode(Request(method="GET", path=f"/{path}", name="GET /"), host="h", prefix="")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Idempotency-Key", "a\r\nX-Smuggled: 1"),
        ("Idempotency-Key", "a\nb"),
        ("Idempotency-Key", "\u4e2d"),
        ("Idempotency Key", "a"),
        ("", "a"),
        ("Content-Length", "0"),
        ("transfer-encoding", "chunked"),
        ("HOST", "elsewhere"),
    ],
)
def test_a_header_that_would_make_it_another_request_is_refused(name: str, value: str) -> None:
    request = Request(method="POST", path="/", name="POST /", headers=((name, value),))
    with pytest.raises(RequestMalformed, match="cannot be sent"):
        encode(request, host="h", prefix="")
