"""How does the head of a run's page look in the README? A picture of it as SVG: the verdict, and the axis of time.

python -m tests.report.picture runs/<id> tests/report/incident.svg
"""

import copy
import re
import sys
import textwrap
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import vl_convert

from harness.report.html.chart import chart
from harness.report.html.grammar import Drawn
from harness.report.html.page import Page, page
from harness.report.saved import read_run

WIDTH = 900
LEFT, RIGHT = 182, 22
"""What labels take of it, as in the page's own script."""
A_LINE = 74
"""Characters of the sentence that fit beside each other."""


def main(arguments: list[str]) -> None:
    """Draw a run's first scenario."""
    run, out = (Path(each) for each in arguments)
    out.write_text(picture(page(read_run(run))))


def picture(content: Page) -> str:
    """The page's head over its first scenario's chart, in the page's light colours."""
    section = content.sections[0]
    assert section.axis is not None, "there is nothing to draw"
    colours = dict(re.findall(r"(--[\w-]+): (#\w+)", _css().partition("@media")[0]))
    spec = _coloured(_sized(chart(section.axis)), colours)
    drawn = vl_convert.vegalite_to_svg(spec)
    drawn = re.sub(r' (aria-[a-z]+|role|pointer-events)="[^"]*"', "", drawn)  # half of its bytes
    drawn = re.sub(r"(\d\.\d)\d+", r"\1", drawn)
    height = float(re.search(r'<svg[^>]* height="([\d.]+)"', drawn)[1])  # type: ignore[index]
    head = list(_head(content, colours))
    top = 30 + 26 * len(head)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top + height:.0f}" '
        f'font-family="system-ui, sans-serif"><rect width="100%" height="100%" fill="{colours["--bg"]}"/>'
        f'<rect width="100%" height="{top - 14}" fill="{colours["--panel"]}"/>'
        f'<rect width="100%" height="5" fill="{colours["--bad" if content.verdict.exit_code else "--ok"]}"/>'
        + "".join(
            f'<text x="16" y="{34 + 26 * number}" {style}>{escape(text)}</text>'
            for number, (text, style) in enumerate(head)
        )
        + f'<g transform="translate(0 {top})">{drawn}</g></svg>\n'
    )


def _head(content: Page, colours: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Lines of text with their attributes."""
    strong = f'font-size="20" font-weight="650" fill="{colours["--fg"]}"'
    for line in textwrap.wrap(f"{content.verdict.status.value}: {content.sentence}", A_LINE):
        yield line, strong
    plain = f'font-size="14" fill="{colours["--dim"]}"'
    for loss in content.money.losses:
        yield f"{loss.what}: {loss.money} of {loss.orders} orders", plain
    for flow in content.money.flows:
        back = f"{flow.back} back in {flow.refunds} refunds"
        yield f"moved by the providers in all: {flow.taken} in {flow.charges} charges, {back}", plain
    yield f"rating: {content.grade or content.rating}", plain


def _css() -> str:
    return (files("harness.report.html") / "report.css").read_text(encoding="utf-8")


def _sized(spec: Drawn) -> dict[str, Any]:
    """Every track as wide as the picture allows."""
    sized: dict[str, Any] = copy.deepcopy(dict(spec))
    for track in sized["vconcat"]:
        track["width"] = WIDTH - LEFT - RIGHT
    return sized


def _coloured(value: Any, colours: dict[str, str]) -> Any:
    """The same with the page's variables filled in, since a picture has no style sheet."""
    if isinstance(value, dict):
        return {key: _coloured(each, colours) for key, each in value.items()}
    if isinstance(value, list):
        return [_coloured(each, colours) for each in value]
    if isinstance(value, str):
        return re.sub(r"var\((--[\w-]+)\)", lambda found: colours[found[1]], value)
    return value


if __name__ == "__main__":
    main(sys.argv[1:])
