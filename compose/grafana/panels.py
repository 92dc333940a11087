"""How does a panel look in Grafana's own JSON?

    Query ──> a constructor for each kind of panel ──> placed in rows, 24 columns wide ──> the dashboard's "panels"

Grafana 12, dashboard schema v1. What all panels of a kind share stands here; what each of them tells, in `screen`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

Json = dict[str, object]

SOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24
NO_RUN = "no run"
"""What a panel about a run says where none goes on."""
OFF, GOOD, WARN, BAD, PLAIN = "text", "green", "orange", "red", "blue"
_HIDE: Json = {"legend": False, "tooltip": False, "viz": False}


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """One question to Prometheus."""

    expr: str
    legend: str = ""
    is_heatmap: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Panel:
    """One panel, not yet placed."""

    kind: str
    title: str
    told: str
    """Its description, behind the little i."""
    queries: Sequence[Query]
    width: int
    unit: str
    none: str
    """What it says where there is nothing to show."""
    options: Json
    custom: Json
    thresholds: Sequence[tuple[float | None, str]] = ((None, GOOD),)
    mappings: Sequence[Json] = ()
    overrides: Sequence[Json] = ()
    color: str = "palette-classic"
    least: float | None = 0
    decimals: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """Panels side by side, as many lines as they need."""

    title: str | None
    """None: at the top, without a head."""
    height: int
    panels: Sequence[Panel]


def lines(
    title: str,
    told: str,
    *queries: Query,
    unit: str = "short",
    width: int = 8,
    none: str = NO_RUN,
    stacked: bool = False,
    steps: bool = False,
    limit: float | None = None,
    colors: Mapping[str, str] | None = None,
    decimals: int | None = None,
) -> Panel:
    """Curves over time; `limit` draws a dashed line, above which it is bad; `colors` by the end of a curve's name."""
    custom: Json = {
        "drawStyle": "line",
        "lineInterpolation": "stepAfter" if steps else "linear",
        "lineWidth": 1 if stacked else 2,
        "fillOpacity": 45 if stacked else 8,
        "gradientMode": "none",
        "showPoints": "never",
        "spanNulls": False,
        "axisPlacement": "auto",
        "axisBorderShow": False,
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "off" if limit is None else "dashed"},
        "hideFrom": _HIDE,
    }
    options: Json = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc", "hideZeros": True},
    }
    return Panel(
        kind="timeseries",
        title=title,
        told=told,
        queries=queries,
        width=width,
        unit=unit,
        none=none,
        options=options,
        custom=custom,
        thresholds=((None, GOOD),) if limit is None else ((None, "transparent"), (limit, BAD)),
        overrides=[_colored(end, color) for end, color in (colors or {}).items()],
        decimals=decimals,
    )


def figure(
    title: str,
    told: str,
    *queries: Query,
    unit: str = "short",
    width: int = 3,
    none: str = NO_RUN,
    thresholds: Sequence[tuple[float | None, str]] = ((None, PLAIN),),
    mappings: Sequence[Json] = (),
    text: str = "auto",
    decimals: int | None = None,
) -> Panel:
    """One large figure, its background the threshold's colour."""
    options: Json = {
        "colorMode": "background",
        "graphMode": "none" if mappings or text == "name" else "area",
        "justifyMode": "center",
        "orientation": "auto",
        "percentChangeColorMode": "standard",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "showPercentChange": False,
        "textMode": text,
        "wideLayout": True,
    }
    return Panel(
        kind="stat",
        title=title,
        told=told,
        queries=queries,
        width=width,
        unit=unit,
        none=none,
        options=options,
        custom={},
        thresholds=thresholds,
        mappings=mappings,
        color="thresholds",
        decimals=decimals,
    )


def states(
    title: str,
    told: str,
    *queries: Query,
    shown: Mapping[int, tuple[str, str]],
    width: int = 12,
    none: str = NO_RUN,
    colors: Mapping[str, str] | None = None,
) -> Panel:
    """A bar a series over time; `shown`: value -> its word and its colour."""
    options: Json = {
        "alignValue": "left",
        "mergeValues": True,
        "rowHeight": 0.85,
        "showValue": "auto",
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False, "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return Panel(
        kind="state-timeline",
        title=title,
        told=told,
        queries=queries,
        width=width,
        unit="short",
        none=none,
        options=options,
        custom={"fillOpacity": 75, "lineWidth": 0, "axisPlacement": "auto", "hideFrom": _HIDE},
        mappings=(words(shown),),
        overrides=[_bars(end, color) for end, color in (colors or {}).items()],
        color="thresholds",
        least=None,
    )


def heat(title: str, told: str, query: Query, *, unit: str, width: int, none: str = NO_RUN) -> Panel:
    """How many fell into which bucket, over time."""
    options: Json = {
        "calculate": False,
        "cellGap": 1,
        "cellValues": {"unit": "short", "decimals": 1},
        "color": {"mode": "scheme", "scheme": "Turbo", "fill": "dark-orange", "steps": 64, "reverse": False}
        | {"scale": "exponential", "exponent": 0.5},
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "filterValues": {"le": 1e-9},
        "legend": {"show": False},
        "rowsFrame": {"layout": "auto"},
        "showValue": "never",
        "tooltip": {"mode": "single", "showColorScale": True, "yHistogram": True},
        "yAxis": {"axisPlacement": "left", "reverse": False, "unit": unit},
    }
    return Panel(
        kind="heatmap",
        title=title,
        told=told,
        queries=[replace(query, legend="{{le}}", is_heatmap=True)],
        width=width,
        unit=unit,
        none=none,
        options=options,
        custom={"scaleDistribution": {"type": "linear"}, "hideFrom": _HIDE},
        color="thresholds",
    )


def words(shown: Mapping[int, tuple[str, str]]) -> Json:
    """A mapping of values to words with their colours."""
    told = {
        str(value): {"text": word, "color": color, "index": index}
        for index, (value, (word, color)) in enumerate(shown.items())
    }
    return {"type": "value", "options": told}


def placed(rows: Iterable[Row]) -> list[Json]:
    """All panels at their places, each under an id of its own."""
    made: list[Json] = []
    y = 0
    for row in rows:
        if row.title is not None:
            head: Json = {"type": "row", "id": len(made) + 1, "title": row.title, "collapsed": False, "panels": []}
            made.append(head | {"gridPos": {"h": 1, "w": COLUMNS, "x": 0, "y": y}})
            y += 1
        x = 0
        for panel in row.panels:
            if x + panel.width > COLUMNS:
                x, y = 0, y + row.height
            made.append(_json(panel, len(made) + 1, {"h": row.height, "w": panel.width, "x": x, "y": y}))
            x += panel.width
        y += row.height
    return made


def _json(panel: Panel, number: int, place: Json) -> Json:
    bounds = {"min": panel.least, "decimals": panel.decimals}
    defaults: Json = {
        "unit": panel.unit,
        "noValue": panel.none,
        "color": {"mode": panel.color},
        "custom": panel.custom,
        "mappings": list(panel.mappings),
        "thresholds": {
            "mode": "absolute",
            "steps": [{"value": value, "color": color} for value, color in panel.thresholds],
        },
        **{name: value for name, value in bounds.items() if value is not None},
    }
    return {
        "type": panel.kind,
        "id": number,
        "title": panel.title,
        "description": panel.told,
        "datasource": SOURCE,
        "gridPos": place,
        "interval": "1s",
        "targets": [_target(query, "ABCDEFGH"[index]) for index, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": defaults, "overrides": list(panel.overrides)},
        "options": panel.options,
    }


def _target(query: Query, letter: str) -> Json:
    return {
        "refId": letter,
        "datasource": SOURCE,
        "editorMode": "code",
        "expr": query.expr,
        "format": "heatmap" if query.is_heatmap else "time_series",
        "instant": False,
        "legendFormat": query.legend or "__auto",
        "range": True,
    }


def _colored(end: str, color: str) -> Json:
    return _of(end, {"id": "color", "value": {"mode": "fixed", "fixedColor": color}})


def _bars(end: str, color: str) -> Json:
    return _of(end, {"id": "mappings", "value": [words({0: ("", "transparent"), 1: ("on", color)})]})


def _of(end: str, *properties: Json) -> Json:
    """For the curves whose names end so."""
    return {"matcher": {"id": "byRegexp", "options": f"/{end}$/"}, "properties": list(properties)}
