"""Is somebody who reads a log told what is new, and not more than now and then that a phase goes on?"""

from functools import partial

from harness.pytest_progress import NEWS_S, now_and_then


def test_a_log_has_a_line_a_phase_and_one_now_and_then() -> None:
    told = {
        "A stack: starting": 0.0,
        "A load: 1 of 9": 1.0,
        "A load: 2 of 9": 2.0,
        "A load: 5 of 9": NEWS_S,
        "A load: 8 of 9": NEWS_S + 1.0,
        "A load: 9 of 9": NEWS_S + 2.0,
        "A drain: 0 orders": NEWS_S + 3.0,
    }
    said: list[str] = []
    tell = now_and_then(said.append, partial(next, iter(told.values())))
    for line in told:
        tell(line)
    assert said == ["A stack: starting", "A load: 1 of 9", "A load: 8 of 9", "A drain: 0 orders"]
