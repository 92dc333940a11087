"""How do words become HTML?

One template with autoescape on, for what a browser swaps in, and another for the page alone.
"""

from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined

from harness.report.html.render import MARKS
from harness.web_ui.telling import Told

TEMPLATES = ("told.html", "page.html")


def draw(told: Told) -> str:
    """All that is known, as HTML; about a millisecond."""
    text: str = _environment().get_template("told.html").render(told=told, marks=MARKS)
    return text


def draw_page() -> str:
    """The page that shows it without Locust's UI around it."""
    text: str = _environment().get_template("page.html").render()
    return text


@cache
def asset(name: str) -> str:
    """A file of ours."""
    return (files("harness.web_ui") / name).read_text(encoding="utf-8")


@cache
def _environment() -> Any:
    loader = DictLoader({name: asset(name) for name in TEMPLATES})
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
