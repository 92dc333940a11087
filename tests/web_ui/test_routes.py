"""What do our addresses in Locust's web UI answer, and which of Locust's own answers change?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint, Flask, jsonify
from flask.testing import FlaskClient

from harness.errors import HarnessError
from harness.web_ui.known import Known, unjudged
from harness.web_ui.routes import hang_in
from tests.web_ui.told import EVIL, STATE, UNDER_WAY, assigned, broken, running

INDEX = '<html><body><script>a = {"missing_host_warning": true}</script></body></html>'


class Locust:
    """As much of Locust's web UI as ours hangs on."""

    def __init__(self, base_path: str) -> None:
        self.app = Flask(__name__)
        self.template_args: dict[str, Any] = {}
        self.guarded: list[str] = []
        self.started: list[Mapping[str, str]] = []
        own = Blueprint("locust", __name__, url_prefix=base_path)
        own.add_url_rule("/", "index", lambda: INDEX)
        own.add_url_rule("/swarm", "swarm", self.swarm, methods=["POST"])
        self.app.register_blueprint(own)

    def swarm(self) -> Any:
        return jsonify({"success": True})

    def auth_required_if_enabled(self, view: Callable[..., Any]) -> Callable[..., Any]:
        self.guarded.append(view.__name__)
        return view


@dataclass(kw_only=True, slots=True)
class Recorded:
    """Runs of which everything is known in advance."""

    now: Known | None = None
    refuses: str | None = None
    unwritable: str | None = None

    def known(self) -> Known:
        assert self.now is not None
        return self.now

    def refusal(self, form: Mapping[str, str]) -> str | None:
        return self.refuses if form.get("scenario") != "AnswerLost" else None

    def page_of(self, folder: Path) -> bytes:
        if self.unwritable is not None:
            raise HarnessError(self.unwritable)
        return f"<h1>{folder.name}</h1>".encode()


def hung(runs: Recorded, base_path: str = "") -> tuple[FlaskClient, Locust]:
    locust = Locust(base_path)
    hang_in(locust, runs, base_path)
    return locust.app.test_client(), locust


def text_of(client: FlaskClient, address: str = "/payment-chaos/now") -> str:
    reply = client.get(address)
    assert reply.status_code == 200, reply.text
    return reply.text


def test_while_a_run_goes_on_scenario_phase_faults_promises_and_load_are_told() -> None:
    client, _ = hung(Recorded(now=running()))
    text = text_of(client)
    for said in (
        "<h2>AnswerLost</h2>",
        '<li class="now" aria-current="step">faults</li>',
        "17 of 32 journeys started",
        "cut_answers on wechat, card, for 2 s",
        "no_double_charge",
        "1 order was charged twice and is not refunded yet.",
        "arrivals planned",
    ):
        assert said in text


def test_a_breach_stands_in_the_head_while_the_run_goes_on() -> None:
    client, _ = hung(Recorded(now=running()))
    assert "Broken so far: no_double_charge (2)" in text_of(client)
    quiet, _ = hung(Recorded(now=running(live=None)))
    assert "Broken so far" not in text_of(quiet)


def test_the_last_verdict_is_told_in_words_with_a_link_to_its_page() -> None:
    client, _ = hung(Recorded(now=replace(running(UNDER_WAY, STATE, broken()), busy=False)))
    text = text_of(client)
    assert "3 promises broken: 32.50 CNY of 7 orders taken from customers" in text
    assert 'href="runs/20261129-201903-724f"' in text
    assert text_of(client, "/payment-chaos/runs/20261129-201903-724f") == "<h1>20261129-201903-724f</h1>"


def test_a_run_without_a_verdict_says_why_and_has_no_page() -> None:
    known = replace(running(UNDER_WAY, None, unjudged(assigned(), "the disk is full", 4)), busy=False)
    client, _ = hung(Recorded(now=known))
    text = text_of(client)
    assert "There is no verdict" in text
    assert "the disk is full" in text
    assert "href=" not in text
    assert client.get("/payment-chaos/runs/20261129-201903-724f").status_code == 404


@pytest.mark.parametrize("name", ["another", "..", "%2e%2e", "..%2f..%2fetc%2fpasswd"])
def test_only_runs_of_this_process_have_a_page(name: str) -> None:
    client, _ = hung(Recorded(now=replace(running(UNDER_WAY, None, broken()), busy=False)))
    assert client.get(f"/payment-chaos/runs/{name}").status_code == 404


def test_whatever_a_target_or_a_scenario_says_stays_text() -> None:
    evil = replace(broken(), sentence=EVIL, cut_short=EVIL, folder=Path(f"runs/{EVIL}"))
    for known in (
        running(replace_text(EVIL), STATE, evil, cut=EVIL),
        replace(running(UNDER_WAY, None, evil), busy=False),
        replace(running(UNDER_WAY, None, unjudged(None, EVIL, 4)), busy=False),
    ):
        client, _ = hung(Recorded(now=known))
        text = text_of(client)
        assert "<img" not in text
        assert "&lt;img src=x onerror=" in text


def replace_text(text: str) -> Any:
    return type(UNDER_WAY)(scenario=UNDER_WAY.scenario, phase=UNDER_WAY.phase, text=text)


@pytest.mark.parametrize("base_path", ["", "/load", "/load/"])
def test_it_works_below_a_base_path(base_path: str) -> None:
    client, _ = hung(Recorded(now=running()), base_path.rstrip("/"))
    below = base_path.rstrip("/")
    for name in ("", "now", "tab.js", "tab.css"):
        reply = client.get(f"{below}/payment-chaos/{name}")
        assert (reply.status_code, reply.headers["Cache-Control"]) == (200, "no-store")
    assert '<script src="./payment-chaos/tab.js"></script></body>' in text_of(client, f"{below}/")


def test_locusts_page_gets_a_tab_and_asks_for_no_host() -> None:
    client, locust = hung(Recorded(now=running()))
    assert locust.template_args == {
        "extended_tabs": [{"title": "Payment chaos", "key": "payment-chaos", "component": "payment-chaos"}]
    }
    assert '"missing_host_warning": false' in text_of(client, "/")


def test_nothing_is_fetched_from_elsewhere() -> None:
    client, _ = hung(Recorded(now=running(UNDER_WAY, STATE, broken())))
    for name in ("", "now", "tab.js", "tab.css"):
        text = text_of(client, f"/payment-chaos/{name}")
        assert "://" not in text
        assert '"//' not in text


def test_a_start_that_cannot_be_granted_is_refused_with_its_reason_in_locusts_own_form() -> None:
    client, _ = hung(Recorded(now=running(), refuses="unknown scenario"))
    reply = client.post("/swarm", data={"scenario": "x"})
    assert reply.json == {"success": False, "message": "unknown scenario", "host": ""}
    assert client.post("/swarm", data={"scenario": "AnswerLost"}).json == {"success": True}


def test_every_address_lies_behind_locusts_login() -> None:
    _, locust = hung(Recorded(now=running()))
    assert sorted(locust.guarded) == ["now", "page", "part", "run"]


def test_what_goes_wrong_here_is_answered_and_never_counts_as_the_harness_failing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client, _ = hung(Recorded(now=None))
    assert client.get("/payment-chaos/now").status_code == 500
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    unwritable, _ = hung(Recorded(now=replace(running(UNDER_WAY, None, broken()), busy=False), unwritable="it is torn"))
    reply = unwritable.get("/payment-chaos/runs/20261129-201903-724f")
    assert (reply.status_code, reply.text) == (500, "it is torn")
