"""Does a rate multiply the arrivals of a run, and nothing else of it?"""

from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import pytest

from harness.arguments import add_arguments, read_assignment
from harness.arrivals import Steady
from harness.assignment import Assignment
from harness.doctor.examining import SCENARIO
from harness.errors import UsageError
from harness.operation import Size
from harness.records import load_told
from harness.scenario import Scenario

TARGET = Path(__file__).parent.parent / "compose" / "reference.toml"
OTHER = replace(SCENARIO, name="Other")


class Fields:
    """Stands in for Locust's parser: takes the arguments, and gives what they are where nobody says anything."""

    def __init__(self) -> None:
        self.defaults: dict[str, object] = {"num_users": 50, "locustfile": "scenarios", "target": str(TARGET)}
        self.on_form: list[str] = []
        add_arguments(self, ["Doctor", "Other"])

    def set_defaults(self, **_: object) -> None: ...

    def add_argument_group(self, _: str) -> "Fields":
        return self

    def add_argument(self, name: str, *, default: object = False, **_: object) -> "Field":
        self.defaults.setdefault(name.removeprefix("--").replace("-", "_"), default)
        return Field(name, self.on_form)


class Field:
    """One argument; keeps whether the form shows it."""

    def __init__(self, name: str, on_form: list[str]) -> None:
        self._name, self._on_form = name, on_form

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)
        if name == "include_in_web_ui" and value:
            self._on_form.append(self._name)


def asked(*scenarios: Scenario, **form: str) -> Assignment:
    options = Namespace(**(Fields().defaults | {"size": "scene"}))
    return read_assignment(options, form, scenarios=scenarios or (SCENARIO, OTHER), host="")


def test_a_rate_changes_the_arrival_rate_and_nothing_else() -> None:
    own, faster = asked().scenarios[0], asked(rate="2.5").scenarios[0]
    plan = own.plans[Size.SCENE]
    assert faster == replace(own, plans={Size.SCENE: replace(plan, load=Steady(rate_per_s=7.5, duration_s=1))})


def test_a_run_that_is_repeated_has_the_same_rate() -> None:
    rate = 0.1 + 0.2
    arguments = asked(rate=repr(rate)).arguments()
    assert float(arguments[arguments.index("--rate") + 1]) == rate
    assert "--rate" not in asked().arguments()


def test_the_load_is_told_as_it_is_run_and_what_was_made_of_it() -> None:
    load = asked(rate="2").scenarios[0].plans[Size.SCENE].load
    assert load_told(load, 2) == "steady 6/s for 1 s (2 times the scenario's own rate)"
    assert load_told(load, 1) == "steady 6/s for 1 s"


def test_the_form_chooses_one_scenario_or_all() -> None:
    assert [scenario.name for scenario in asked().scenarios] == [SCENARIO.name, "Other"]
    assert [scenario.name for scenario in asked(scenario="Other").scenarios] == ["Other"]


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"scenario": "Othr"}, "unknown scenario 'Othr'; did you mean Other?"),
        ({"rate": "0"}, "rate 0: name a factor above 0, at most 10"),
        ({"rate": "inf"}, "rate inf: name a factor"),
        ({"rate": "fast"}, "rate 'fast' is no number"),
    ],
)
def test_what_a_form_cannot_ask_for_is_refused(form: dict[str, str], why: str) -> None:
    with pytest.raises(UsageError, match=why.replace("?", r"\?")):
        asked(**form)


def test_the_form_shows_what_a_run_is_about_and_no_folders_or_ports() -> None:
    fields = Fields()
    assert fields.on_form[:2] == ["--scenario", "--rate"]
    hidden = {f"--{name.replace('_', '-')}" for name in fields.defaults} - set(fields.on_form)
    assert hidden >= {"--runs", "--run-id", "--port-base", "--no-live", "--metrics-port", "--metrics-host"}
