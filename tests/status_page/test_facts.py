"""What the page says, by what it heard and how long ago that was."""

from dataclasses import dataclass, field

from compose.status_page.facts import Facts, Heartbeat, Late, MethodFact, Page


def beat(**methods: str) -> Heartbeat:
    return Heartbeat({name: MethodFact(state, 1_000) for name, state in methods.items()})


ALL_WELL = beat(wechat="ok", alipay="ok", card="ok")


@dataclass(kw_only=True)
class Desk:
    """Facts on a clock that a test turns."""

    at_s: float = 100.0
    facts: Facts = field(init=False)

    def __post_init__(self) -> None:
        self.facts = Facts(lambda: self.at_s, lambda: round(self.at_s * 1000))

    def says(self) -> tuple[str, dict[str, str], int]:
        page = self.facts.page()
        return page.status, {name: fact.state for name, fact in page.methods}, page.since_utc_ms


DOWN = {"wechat": "down", "alipay": "down", "card": "down"}


def test_before_anything_was_heard_no_method_is_said_to_work() -> None:
    assert Desk().says() == ("degraded", DOWN, 100_000)


def test_what_an_api_said_is_shown_and_kept() -> None:
    desk = Desk()
    desk.facts.heard("a", ALL_WELL)
    assert desk.says() == ("ok", {"wechat": "ok", "alipay": "ok", "card": "ok"}, 100_000)
    desk.at_s += 1.9
    assert desk.says()[0] == "ok"


def test_a_heartbeat_older_than_two_seconds_means_that_nothing_works() -> None:
    desk = Desk()
    desk.facts.heard("a", ALL_WELL)
    desk.facts.page()
    desk.at_s += 2.1
    assert desk.says() == ("degraded", DOWN, 100_000)
    desk.facts.heard("a", ALL_WELL)
    assert desk.says()[0::2] == ("ok", 102_100)


def test_one_failing_method_is_named_since_when_it_failed() -> None:
    desk = Desk()
    desk.facts.heard("a", beat(wechat="ok", alipay="degraded", card="ok"))
    assert desk.says() == ("degraded", {"wechat": "ok", "alipay": "degraded", "card": "ok"}, 1_000)


def test_of_several_apis_the_worst_word_counts_and_one_that_left_counts_no_more() -> None:
    desk = Desk()
    desk.facts.heard("old", beat(wechat="down", alipay="ok", card="ok"))
    desk.facts.heard("new", ALL_WELL)
    assert desk.says()[1] == {"wechat": "down", "alipay": "ok", "card": "ok"}
    desk.at_s += 2.1
    desk.facts.heard("new", ALL_WELL)
    assert desk.says()[0] == "ok"


def test_the_body_is_json_for_programs() -> None:
    page = Page(status="degraded", since_utc_ms=7, methods=(("card", MethodFact("down", 7)),))
    methods = b'[{"method":"card","state":"down","since_utc_ms":7}]'
    assert page.body() == b'{"status":"degraded","since_utc_ms":7,"methods":' + methods + b"}"


def test_the_late_page_says_what_was_known_eight_seconds_ago() -> None:
    desk = Desk()
    late = Late(desk.facts.page, lambda: desk.at_s)
    desk.facts.heard("a", ALL_WELL)
    assert late.page().status == "ok"
    said = []
    for _ in range(12):
        desk.at_s += 1.0
        said.append(late.page().status)
    assert said == ["ok"] * 9 + ["degraded"] * 3
