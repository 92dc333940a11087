"""How is one scenario's axis of time drawn? As a Vega-Lite specification, made of values alone.

Tracks one above the other share the axis: what was broken, what was asked and served, how operations ended, how
long they took, what the providers charged, and what the status page said beside what customers met. Colours
are the page's CSS variables, so that dark mode and print need no second drawing; none of them carries a
meaning alone. No I/O.
"""

from harness.report.html.axis import Axis
from harness.report.html.curves import bins, charged, charges, latencies, outcomes, rates
from harness.report.html.grammar import Drawn, behind
from harness.report.html.rows import phases_and_faults, words

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
"""The grammar's name; nothing is fetched by it."""


def chart(axis: Axis) -> Drawn:
    """The specification of one scenario's chart; its width is set by the page."""
    shade = behind(axis)
    tracks = [
        phases_and_faults(axis),
        rates(axis, shade),
        outcomes(axis, shade),
        latencies(axis, shade),
        charges(axis, shade),
    ]
    if axis.words or axis.announced_ms is not None:
        tracks.append(words(axis))
    return {
        "$schema": SCHEMA,
        "datasets": {"bins": bins(axis), "charges": charged(axis)},
        "vconcat": tracks,
        "spacing": 14,
        "background": None,
        "resolve": {"scale": {"color": "independent", "strokeDash": "independent", "opacity": "independent"}},
        "config": CONFIG,
    }


CONFIG: Drawn = {
    "font": "system-ui, sans-serif",
    "view": {"stroke": "var(--line)", "fill": None},
    "axis": {
        "labelColor": "var(--fg)",
        "titleColor": "var(--dim)",
        "gridColor": "var(--line)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
    },
    "axisY": {"minExtent": 170, "maxExtent": 170, "labelLimit": 160, "titlePadding": 4},
    "title": {
        "color": "var(--fg)",
        "subtitleColor": "var(--dim)",
        "anchor": "start",
        "frame": "group",
        "fontSize": 12.5,
        "subtitleFontSize": 11,
        "offset": 4,
    },
    "legend": {
        "labelColor": "var(--fg)",
        "titleColor": "var(--dim)",
        "orient": "top",
        "direction": "horizontal",
        "title": None,
        "labelFontSize": 11,
        "labelLimit": 260,
        "symbolLimit": 40,
        "offset": 2,
        "padding": 0,
    },
}
