"""How are rates, outcomes, latencies and charges drawn? As sums over bins, one track each."""

from collections.abc import Mapping, Sequence
from typing import Any

from harness.money import amount
from harness.report.html.axis import Axis, Latencies
from harness.report.html.grammar import Drawn, along, tips, track, up, values

TRACK_PX = 96
RATES = {
    "due": ("offered: customers due", "var(--fg)", [5, 3]),
    "begun": ("achieved: customers begun", "var(--p1)", [2, 2]),
    "paid": ("customers paid for", "var(--ok)", [1, 0]),
}
OUTCOMES = {
    "ok": ("acknowledged", "var(--ok-fill)"),
    "fail": ("refused, certainly without effect", "var(--refused)"),
    "info": ("unknown: may have taken effect", "var(--bad)"),
}
LATENCIES = {
    "p50_ms": ("half of those answered within", "var(--ok)", [1, 0]),
    "p99_ms": ("99 % within", "var(--p1)", [4, 2]),
    "max_ms": ("slowest", "var(--bad)", [1, 2]),
}
"""Column of the data set `bins` -> its name in words, colour, dashes."""
PROVIDER_COLOURS = ("var(--p1)", "var(--p2)", "var(--p3)", "var(--p4)", "var(--p5)", "var(--p6)")


def bins(axis: Axis) -> list[Drawn]:
    """One row a bin; what did not happen in it is left out."""
    latencies = {each.at_ms: each for each in axis.latencies}
    rows: list[Drawn] = []
    for rate, ended in zip(axis.rates, axis.outcomes, strict=True):
        took = latencies.get(rate.at_ms)
        rows.append(
            {
                "at_s": rate.at_ms / 1_000,
                "to_s": (rate.at_ms + axis.bin_ms) / 1_000,
                "due": rate.due,
                "begun": rate.begun,
                "paid": rate.paid,
                "ok": ended.ok,
                "fail": ended.fail,
                "info": ended.info,
                **({} if took is None else _took(took)),
            }
        )
    return rows


def _took(took: Latencies) -> Drawn:
    quantiles = {"p50_ms": took.p50_ms, "p99_ms": took.p99_ms, "max_ms": took.max_ms}
    counts = {"answered": took.answered, "unanswered": took.unanswered}
    return counts | {name: value for name, value in quantiles.items() if value is not None}


def charged(axis: Axis) -> list[Drawn]:
    """One row a bin, provider and direction."""
    return [
        {
            "at_s": each.at_ms / 1_000,
            "to_s": (each.at_ms + axis.bin_ms) / 1_000,
            "who": each.provider,
            "n": sign * count,
            "what": f"{each.provider} {what} {amount(minor, each.currency or None)}",
        }
        for each in axis.charges
        for what, count, minor, sign in (
            ("took", each.captures, each.captured_minor, 1),
            ("gave back", each.refunds, each.refunded_minor, -1),
        )
        if count
    ]


def _folded(columns: Mapping[str, tuple[Any, ...]], value: str) -> list[Drawn]:
    """Transforms from a row a bin to a row a bin and column, `value` being what is drawn of the count `n`."""
    words = ", ".join(f"'{column}': '{told[0]}'" for column, told in columns.items())
    return [
        {"fold": list(columns), "as": ["column", "n"]},
        {"filter": "isValid(datum.n)"},
        {"calculate": value, "as": "value"},
        {"calculate": f"{{{words}}}[datum.column]", "as": "what"},
    ]


def named(columns: Mapping[str, tuple[Any, ...]], place: int, **more: object) -> Drawn:
    """A scale over the names of columns; `place` says where in each column's words its range lies."""
    return {
        "field": "what",
        "type": "nominal",
        "scale": {
            "domain": [told[0] for told in columns.values()],
            "range": [told[place] for told in columns.values()],
        },
        **more,
    }


def _lines(axis: Axis, columns: Mapping[str, tuple[Any, ...]], value: str, y: Drawn, unit: str) -> Drawn:
    return {
        "data": {"name": "bins"},
        "transform": _folded(columns, value),
        "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 1.6, "clip": True},
        "encoding": {
            "x": along(axis, "at_s"),
            "y": y,
            "color": named(columns, 1),
            "strokeDash": named(columns, 2),
            "tooltip": tips(("what", " "), ("value", unit), ("at_s", "second")),
        },
    }


def rates(axis: Axis, shade: Sequence[Drawn]) -> Drawn:
    """Customers due, begun and paid for, a second."""
    lines = _lines(axis, RATES, f"datum.n * {1_000 / axis.bin_ms:g}", up(), "per second")
    return track("Customers per second: offered and achieved", TRACK_PX, [*shade, lines])


def outcomes(axis: Axis, shade: Sequence[Drawn]) -> Drawn:
    """Operations a second, stacked by outcome."""
    ranks = ", ".join(f"'{column}': {rank}" for rank, column in enumerate(OUTCOMES))
    bars: Drawn = {
        "data": {"name": "bins"},
        "transform": [
            *_folded(OUTCOMES, f"datum.n * {1_000 / axis.bin_ms:g}"),
            {"filter": "datum.n > 0"},
            {"calculate": f"{{{ranks}}}[datum.column]", "as": "rank"},
        ],
        "mark": {"type": "bar", "stroke": "var(--bg)", "strokeWidth": 0.3, "clip": True},
        "encoding": {
            "x": {**along(axis, "at_s"), "bin": {"binned": True, "step": axis.bin_ms / 1_000}},
            "x2": {"field": "to_s"},
            "y": up(stack="zero"),
            "order": {"field": "rank", "type": "quantitative"},
            "color": named(OUTCOMES, 1),
            "tooltip": tips(("what", " "), ("n", "operations"), ("at_s", "second")),
        },
    }
    drawn = [bars] if any(each.ok or each.fail or each.info for each in axis.outcomes) else []
    return track("Operations per second, by how they ended", TRACK_PX, [*shade, *drawn])


def latencies(axis: Axis, shade: Sequence[Drawn]) -> Drawn:
    """How long answers took, and the objective."""
    y = up(scale={"type": "log"})
    lines = _lines(axis, LATENCIES, "max(1, datum.n)", y, "ms")
    limit = [{"value": axis.latency_limit_ms, "what": f"objective {axis.latency_limit_ms} ms"}]
    objective: list[Drawn] = [
        {
            "data": values(limit),
            "mark": {"type": "rule", "color": "var(--objective)", "strokeWidth": 1.6},
            "encoding": {"y": {"field": "value", "type": "quantitative"}, "tooltip": {"field": "what"}},
        },
        {
            "data": values(limit),
            "mark": {"type": "text", "align": "right", "baseline": "bottom", "dx": -3, "color": "var(--objective)"},
            "encoding": {
                "x": {"value": "width"},
                "y": {"field": "value", "type": "quantitative"},
                "text": {"field": "what"},
            },
        },
    ]
    title = "Milliseconds to the answer, from the instant at which the customer meant to act (log)"
    drawn = [lines] if any(each.answered for each in axis.latencies) else []
    return track(title, TRACK_PX, [*shade, *drawn, *objective])


def charges(axis: Axis, shade: Sequence[Drawn]) -> Drawn:
    """Charges and refunds a second, stacked by provider."""
    providers = sorted({each.provider for each in axis.charges})
    colours = [PROVIDER_COLOURS[place % len(PROVIDER_COLOURS)] for place, _ in enumerate(providers)]
    bars: Drawn = {
        "data": {"name": "charges"},
        "transform": [{"calculate": f"datum.n * {1_000 / axis.bin_ms:g}", "as": "value"}],
        "mark": {"type": "bar", "stroke": "var(--bg)", "strokeWidth": 0.3, "clip": True},
        "encoding": {
            "x": {**along(axis, "at_s"), "bin": {"binned": True, "step": axis.bin_ms / 1_000}},
            "x2": {"field": "to_s"},
            "y": up(stack="zero"),
            "color": {"field": "who", "type": "nominal", "scale": {"domain": providers, "range": colours}},
            "opacity": {"condition": {"test": "datum.n < 0", "value": 0.5}, "value": 1},
            "tooltip": tips(("what", " "), ("n", "charges"), ("at_s", "second")),
        },
    }
    if not axis.charges:
        return track("Providers: no charge and no refund is known", 1, shade)
    return track("Providers per second: charges upwards, refunds downwards", TRACK_PX, [*shade, bars])
