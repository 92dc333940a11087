"""When a breaker opens, lets one through, and closes: what happened at which second, and where it then stands."""

import pytest

from compose.payment_api.breaker import Breaker, State

TABLE = {
    "two failures leave it closed": ([(0, "fail"), (0.1, "fail")], 0.2, State.CLOSED, True),
    "three in a row open it": ([(0, "fail"), (0.1, "fail"), (0.2, "fail")], 0.3, State.OPEN, False),
    "a success between them starts the count anew": (
        [(0, "fail"), (0.1, "fail"), (0.2, "ok"), (0.3, "fail"), (0.4, "fail")],
        0.5,
        State.CLOSED,
        True,
    ),
    "failures far apart are no row": ([(0, "fail"), (5, "fail"), (10, "fail")], 10.1, State.CLOSED, True),
    "it is half open after its second, and lets one through": (
        [(0, "fail"), (0, "fail"), (0, "fail")],
        1.0,
        State.HALF_OPEN,
        True,
    ),
    "a second one has to wait": (
        [(0, "fail"), (0, "fail"), (0, "fail"), (1.0, "ask")],
        1.5,
        State.HALF_OPEN,
        False,
    ),
    "a probe that never comes back blocks nobody for longer": (
        [(0, "fail"), (0, "fail"), (0, "fail"), (1.0, "ask")],
        2.0,
        State.HALF_OPEN,
        True,
    ),
    "a probe that fails opens it for another second": (
        [(0, "fail"), (0, "fail"), (0, "fail"), (1.0, "ask"), (1.2, "fail")],
        2.1,
        State.OPEN,
        False,
    ),
    "a probe that is answered closes it": (
        [(0, "fail"), (0, "fail"), (0, "fail"), (1.0, "ask"), (1.2, "ok")],
        1.3,
        State.CLOSED,
        True,
    ),
    "a late failure of a call that was under way keeps it open no longer": (
        [(0, "fail"), (0, "fail"), (0, "fail"), (0.5, "fail")],
        1.0,
        State.HALF_OPEN,
        True,
    ),
    "nobody tries it, and it closes by itself": ([(0, "fail"), (0, "fail"), (0, "fail")], 6.0, State.CLOSED, True),
    "after that it takes three again to open it": (
        [(0, "fail"), (0, "fail"), (0, "fail"), (6.0, "fail"), (6.1, "fail")],
        6.2,
        State.CLOSED,
        True,
    ),
}


@pytest.mark.parametrize(("course", "now_s", "state", "admits"), TABLE.values(), ids=TABLE)
def test_a_breaker_stands_where_its_calls_have_brought_it(
    course: list[tuple[float, str]], now_s: float, state: State, admits: bool
) -> None:
    breaker = Breaker(open_s=1.0, enough=3)
    for at_s, what in course:
        match what:
            case "ok":
                breaker.succeeded()
            case "fail":
                breaker.failed(at_s)
            case _:
                assert breaker.admits(at_s)
    assert (breaker.state(now_s), breaker.admits(now_s)) == (state, admits)


def test_one_failure_is_no_good_sign_until_a_success_or_a_second_of_peace() -> None:
    breaker = Breaker(open_s=1.0, enough=3)
    assert breaker.is_well(0.0)
    breaker.failed(1.0)
    assert not breaker.is_well(1.9)
    assert breaker.is_well(2.0)
    breaker.failed(2.1)
    breaker.succeeded()
    assert breaker.is_well(2.1)
