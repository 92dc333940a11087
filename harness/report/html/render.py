"""How do the page's values become one file that a browser opens from disk?

One template with autoescape on. What the script draws lies in the page as JSON in which no `<` stands, so
that no order's id, message or body can end the block it stands in; and a policy in the page's head lets
nothing run but the two scripts whose digests it names, and nothing be fetched at all.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from harness.errors import HarnessError
from harness.report.html.bundle import chart_library
from harness.report.html.chart import chart
from harness.report.html.lanes import Step, Tales
from harness.report.html.page import Page, Section, page
from harness.report.html.validity import STEP_NAMES
from harness.report.saved import SavedRun
from harness.verdict import Status

MARKS: Mapping[Status, str] = {
    Status.PASS: "\N{CHECK MARK}",
    Status.FAIL: "\N{BALLOT X}",
    Status.UNKNOWN: "?",
    Status.KNOWN: "\N{BULLSEYE}",
    Status.NOT_EXERCISED: "\N{EN DASH}",
    Status.NOT_OFFERED: "\N{EN DASH}",
}
"""A sign beside each status's word, so that colour carries nothing alone."""
STAYS = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def render_run(saved: SavedRun) -> bytes:
    """The page of one judged run, the same bytes for the same folder; costs about a second a scenario."""
    return render(page(saved), chart_library()).encode()


def render(content: Page, library: str) -> str:
    """The page as HTML; `library` is the script that draws charts."""
    script = _asset("report.js")
    text: str = _template().render(
        page=content,
        marks=MARKS,
        step_names=STEP_NAMES,
        data=[Markup(_inert(_drawn(section))) for section in content.sections],  # noqa: S704  # no `<` stands in it
        style=Markup(_asset("report.css")),  # noqa: S704  # our own file
        library=Markup(_script(library)),  # noqa: S704  # our own package's
        script=Markup(_script(script)),  # noqa: S704  # our own file
        digests=[_digest(library), _digest(script)],
    )
    return text


@cache
def _template() -> Any:
    loader = DictLoader({"report.html": _asset("report.html")})
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("report.html")


@cache
def _asset(name: str) -> str:
    return (files("harness.report.html") / name).read_text(encoding="utf-8")


def _drawn(section: Section) -> Mapping[str, object]:
    """What the script needs of one scenario."""
    return {"chart": None if section.axis is None else chart(section.axis), "tales": _told(section.tales)}


def _told(every: Tales) -> Mapping[str, object]:
    """Stories as short arrays: promises by number, steps as [ms, lane, who, what], then flags, answer, trace if any."""
    names: dict[str, int] = {}

    def numbered(promises: tuple[str, ...]) -> list[int]:
        return [names.setdefault(name, len(names)) for name in promises]

    told = [
        [
            tale.subject,
            numbered(tale.promises),
            tale.message,
            int(tale.whole),
            [[step.at_ms, step.lane, step.who, step.what, *_more(step)] for step in tale.steps],
        ]
        for tale in every.told
    ]
    named = [[subject, numbered(promises)] for subject, promises in every.named]
    return {"told": told, "named": named, "left_out": every.left_out, "promises": list(names)}


def _more(step: Step) -> list[int | str]:
    """Flags (1 for a minor step, 2 for one during a fault, added), answer and trace, up to the last that there is."""
    more: list[int | str] = [step.minor + 2 * step.during, step.answer, step.trace_id]
    while more and not more[-1]:
        more.pop()
    return more


def _inert(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
    for sign, stays in STAYS.items():
        text = text.replace(sign, stays)
    return text


def _script(text: str) -> str:
    """A script that can stand in the page as it is."""
    if "</script" in text.lower() or "<!--" in text:
        raise HarnessError("a script of the page would end its own block; the charting library has changed")
    return text


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
