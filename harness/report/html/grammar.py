"""What do all tracks of the chart share: the axis of time, the shading of faults, a track's frame?

Parts of a Vega-Lite specification, made of values alone.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from harness.report.html.axis import Axis

MOST_TICKS = 16
TICKS_MS = (500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000)
Drawn: TypeAlias = Mapping[str, object]
"""A part of the specification, as JSON will have it."""


def along(axis: Axis, field: str, *, labels: bool = False) -> Drawn:
    """An encoding of an instant in seconds; every track has the same domain."""
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"domain": [0, axis.end_ms / 1_000], "nice": False},
        "axis": {
            "title": "seconds after the load's start" if labels else None,
            "labels": labels,
            "ticks": labels,
            "grid": True,
            "values": ticks(axis.end_ms),
        },
    }


def ticks(end_ms: int) -> list[float]:
    """The instants, in seconds, that are marked on an axis of this length: round ones, at most `MOST_TICKS`."""
    step_ms = next((step for step in TICKS_MS if end_ms <= step * MOST_TICKS), TICKS_MS[-1])
    return [at_ms / 1_000 for at_ms in range(0, end_ms + 1, step_ms)]


def up(**more: object) -> Drawn:
    """An encoding of `value`; the unit stands in the track's title."""
    return {"field": "value", "type": "quantitative", "axis": {"title": None, "tickCount": 4}, **more}


def track(title: str, height_px: int, layers: Iterable[Drawn]) -> Drawn:
    """One track of the chart, its layers from back to front."""
    return {
        "title": {"text": title},
        "height": height_px,
        "width": 600,
        "layer": list(layers),
    }


def values(rows: Iterable[Drawn]) -> Drawn:
    """Rows that stand in the layer itself."""
    return {"values": list(rows)}


def tips(*fields: tuple[str, str]) -> list[Drawn]:
    """What is told of a mark that is pointed at: fields and their titles."""
    return [{"field": field, "title": title} for field, title in fields]


def behind(axis: Axis, *, labels: bool = False) -> list[Drawn]:
    """What lies behind every track: the time in which any fault was on, and the named instants."""
    spans = [{"from_s": a / 1_000, "to_s": b / 1_000} for a, b in merged(axis)]
    marks = [{"at_s": mark.at_ms / 1_000, "what": mark.what} for mark in axis.marks if mark.at_ms <= axis.end_ms]
    return [
        {
            "data": values(spans),
            "mark": {"type": "rect", "color": "var(--fault)", "opacity": 0.10},
            "encoding": {"x": along(axis, "from_s", labels=labels), "x2": {"field": "to_s"}},
        },
        {
            "data": values(marks),
            "mark": {"type": "rule", "color": "var(--dim)", "strokeDash": [2, 3]},
            "encoding": {"x": along(axis, "at_s", labels=labels)},
        },
    ]


def merged(axis: Axis) -> list[tuple[int, int]]:
    """From when to when any fault was on, standing conditions apart; sorted, without overlaps."""
    spans: list[tuple[int, int]] = []
    for band in sorted(axis.bands, key=lambda band: band.from_ms or 0):
        if band.standing or band.from_ms is None:
            continue
        start_ms, end_ms = band.from_ms, axis.end_ms if band.to_ms is None else band.to_ms
        if spans and start_ms <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end_ms))
        else:
            spans.append((start_ms, end_ms))
    return spans
