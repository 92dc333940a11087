"""How are faults, phases, and the status page's words drawn? As named rows of bars, from edge to edge."""

from collections.abc import Mapping, Sequence

from harness.looks import PAYING
from harness.report.html.axis import Axis, Band
from harness.report.html.grammar import Drawn, along, behind, track, values

ROW_PX = 17
SIDES: Mapping[str, Drawn] = {
    "after": {"align": "left", "dx": 4},
    "before": {"align": "right", "dx": -4},
    "within": {"align": "left", "dx": 4},
}
"""Where a bar's words stand."""
WORDS_SHARE = 0.3
"""Words beside a bar may take so much of the axis, on the narrowest screen."""
TEXT_SHARE = 0.08
"""A bar shorter than this share of the axis has no room for words."""


def phases_and_faults(axis: Axis) -> Drawn:
    """Phases as a first row, then one row a fault with its observed edges, then the named instants."""
    names = _row_names(axis.bands)
    rows: list[Drawn] = [
        {
            "row": "phases",
            "from_s": max(0, phase.start_ms) / 1_000,
            "to_s": min(phase.end_ms, axis.end_ms) / 1_000,
            "text": phase.name if phase.end_ms - phase.start_ms >= axis.end_ms * TEXT_SHARE else "",
            "kind": "phase",
            "side": "within",
            "tip": f"{phase.name}: {phase.start_ms / 1_000:g} s to {phase.end_ms / 1_000:g} s, as planned",
        }
        for phase in axis.phases
        if phase.start_ms < axis.end_ms
    ]
    for band in axis.bands:
        if band.from_ms is None:
            continue
        to_ms = axis.end_ms if band.to_ms is None or band.standing else min(band.to_ms, axis.end_ms)
        rows.append(
            {
                "row": names[band.number],
                "from_s": max(0, band.from_ms) / 1_000,
                "to_s": to_ms / 1_000,
                "text": _seen(band),
                "side": _side(band.from_ms, to_ms, axis.end_ms),
                "kind": "standing" if band.standing else "fault",
                "tip": f"{band.describe}; seen {_seen(band)}",
            }
        )
    named = [
        {"row": mark.what, "at_s": mark.at_ms / 1_000, "what": f"{mark.what}: {mark.at_ms / 1_000:.1f} s"}
        for mark in axis.marks
        if mark.at_ms <= axis.end_ms
    ]
    order = ["phases", *(names[band.number] for band in axis.bands), *(mark["row"] for mark in named)]
    y: Drawn = {
        "field": "row",
        "type": "nominal",
        "scale": {"domain": order},
        "sort": None,
        "axis": {"title": None, "grid": False, "ticks": False, "domain": False},
    }
    layers: list[Drawn] = [
        {
            "data": values(named),
            "mark": {"type": "rule", "color": "var(--dim)", "strokeDash": [2, 3]},
            "encoding": {"x": along(axis, "at_s", labels=True)},
        },
        {
            "data": values(named),
            "mark": {"type": "point", "shape": "diamond", "filled": True, "size": 60, "color": "var(--objective)"},
            "encoding": {"x": along(axis, "at_s", labels=True), "y": y, "tooltip": {"field": "what"}},
        },
        {
            "data": values(named),
            "mark": {"type": "text", "align": "left", "dx": 8, "fontSize": 10.5, "color": "var(--fg)"},
            "encoding": {
                "x": along(axis, "at_s", labels=True),
                "y": y,
                "text": {"field": "at_s", "format": ".1f"},
            },
        },
        {
            "data": values(rows),
            "mark": {"type": "bar", "height": ROW_PX - 4, "cornerRadius": 2, "stroke": "var(--bg)"},
            "encoding": {
                "x": along(axis, "from_s", labels=True),
                "x2": {"field": "to_s"},
                "y": y,
                "color": {
                    "field": "kind",
                    "type": "nominal",
                    "legend": None,
                    "scale": {
                        "domain": ["phase", "fault", "standing"],
                        "range": ["var(--phase)", "var(--fault)", "var(--standing)"],
                    },
                },
                "tooltip": {"field": "tip"},
            },
        },
        *(
            {
                "data": values(row for row in rows if row["side"] == side),
                "mark": {"type": "text", "fontSize": 10.5, "color": "var(--fg)", **how},
                "encoding": {
                    "x": along(axis, "to_s" if side == "after" else "from_s", labels=True),
                    "y": y,
                    "text": {"field": "text"},
                },
            }
            for side, how in SIDES.items()
        ),
    ]
    return track("What was broken, with the edges that were seen", ROW_PX * len(order), layers)


def _side(from_ms: int, to_ms: int, end_ms: int) -> str:
    """Where a bar's words have room."""
    if to_ms <= end_ms * (1 - WORDS_SHARE):
        return "after"
    return "before" if from_ms >= end_ms * WORDS_SHARE else "within"


def _row_names(bands: Sequence[Band]) -> dict[int, str]:
    """A name for each fault, told apart by its number where two are called the same."""
    names = [band.name for band in bands]
    return {band.number: band.name if names.count(band.name) == 1 else f"{band.name} ({band.number})" for band in bands}


def _seen(band: Band) -> str:
    if band.standing:
        return "all along"
    edges = ["?" if at_ms is None else f"{at_ms / 1_000:.1f}" for at_ms in (band.from_ms, band.to_ms)]
    return f"{edges[0]} to {edges[1]} s"


def words(axis: Axis) -> Drawn:
    """Two rows a subject: what customers met, and what the status page said."""
    subjects = sorted({word.subject for word in axis.words}) or [PAYING]
    by = {"customers": "in truth", "page": "status page"}
    shown = list(by) if axis.announced_ms is not None else ["customers"]
    order = [
        f"{subject}, {by[who]}" for subject in subjects for who in shown if (subject, who) not in _told_otherwise(axis)
    ]
    y: Drawn = {
        "field": "row",
        "type": "nominal",
        "scale": {"domain": order},
        "sort": None,
        "axis": {"title": None, "grid": False, "ticks": False, "domain": False},
    }
    least_ms = axis.end_ms / 400
    rows = [
        {
            "row": f"{word.subject}, {by[word.by]}",
            "from_s": word.from_ms / 1_000,
            "to_s": max(word.to_ms, word.from_ms + least_ms) / 1_000,
            "by": word.by,
            "tip": f"{word.from_ms / 1_000:.1f} s to {word.to_ms / 1_000:.1f} s: {word.detail}",
        }
        for word in axis.words
    ]
    due = [
        {
            "row": f"{word.subject}, {by['page']}",
            "at_s": (word.from_ms + axis.announced_ms) / 1_000,
            "what": f"by now the page had to name {word.subject}",
        }
        for word in axis.words
        if word.by == "customers"
        and (word.subject, "page") not in _told_otherwise(axis)
        and axis.announced_ms is not None
        and word.to_ms - word.from_ms >= axis.announced_ms
    ]
    layers: list[Drawn] = [
        *behind(axis, labels=True),
        {
            "data": values(rows),
            "mark": {"type": "bar", "height": ROW_PX - 5, "cornerRadius": 2, "clip": True},
            "encoding": {
                "x": along(axis, "from_s", labels=True),
                "x2": {"field": "to_s"},
                "y": y,
                "color": {
                    "field": "by",
                    "type": "nominal",
                    "legend": None,
                    "scale": {"domain": ["customers", "page"], "range": ["var(--bad)", "var(--p1)"]},
                },
                "tooltip": {"field": "tip"},
            },
        },
        {
            "data": values(due),
            "mark": {"type": "tick", "color": "var(--objective)", "thickness": 2.5, "height": ROW_PX, "clip": True},
            "encoding": {"x": along(axis, "at_s", labels=True), "y": y, "tooltip": {"field": "what"}},
        },
    ]
    title = "Which methods did not work, in truth and in the status page's word"
    title += "" if axis.announced_ms is None else " (tick: by then the page had to say it)"
    return track(title, ROW_PX * len(order), layers)


def _told_otherwise(axis: Axis) -> set[tuple[str, str]]:
    """Of paying as a whole the page need not speak where it names a method: any trouble on it will do."""
    said = {word.subject for word in axis.words if word.by == "page"}
    return {(PAYING, "page")} if said and PAYING not in said else set()
