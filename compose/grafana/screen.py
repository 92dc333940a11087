"""What is on the screen that a team watches in a rehearsal?

    top: is a promise broken? · what happens · customers · money · is the measurement sound? · the API's own view

Run and API are two sources; the screen works with either of them alone.
"""

from compose.grafana.api_rows import INSIDE, PAYMENTS, REQUESTS
from compose.grafana.panels import SOURCE, Json, placed
from compose.grafana.run_rows import COURSE, CUSTOMERS, LOAD, MONEY, TOP, S

ROWS = (TOP, COURSE, CUSTOMERS, MONEY, LOAD, REQUESTS, PAYMENTS, INSIDE)
SCHEMA_VERSION = 42
"""Of Grafana 12.2; newer ones migrate it as they load it."""


def dashboard() -> Json:
    """The dashboard, as Grafana reads it."""
    return {
        "uid": "payment-chaos",
        "title": "Payment chaos",
        "description": "A run against a payment API while it goes on: what breaks, and what customers meet.",
        "tags": ["payment-chaos"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "liveNow": True,
        "refresh": "5s",
        "timezone": "browser",
        "fiscalYearStartMonth": 0,
        "weekStart": "",
        "time": {"from": "now-5m", "to": "now"},
        "timepicker": {"refresh_intervals": ["1s", "5s", "10s", "30s", "1m"]},
        "links": [],
        "templating": {"list": [_source(), _scenario()]},
        "annotations": {"list": [_breaches(), _faults(), _phases()]},
        "panels": placed(ROWS),
    }


def _source() -> Json:
    return {
        "name": "datasource",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
        "description": "Which Prometheus asks the harness and the API.",
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "refresh": 1,
        "regex": "",
        "current": {"selected": True, "text": "Prometheus", "value": "prometheus"},
        "options": [],
    }


def _scenario() -> Json:
    query = "label_values(payment_chaos_phase, scenario)"
    return {
        "name": "scenario",
        "label": "Scenario",
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": "scenario"},
        "definition": query,
        "description": "One, or all that ran in the time shown.",
        "hide": 0,
        "includeAll": True,
        "allValue": ".*",
        "multi": True,
        "refresh": 2,
        "regex": "",
        "sort": 1,
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "options": [],
    }


def _faults() -> Json:
    return _annotation(
        "Faults",
        "purple",
        f"max by (kind, where) (payment_chaos_fault_active{{{S}}})",
        title="{{kind}} on {{where}}",
        tags="kind,where",
    )


def _phases() -> Json:
    """Where each phase begins; its end is the next one's beginning."""
    stands = f"max by (scenario, phase) (payment_chaos_phase{{{S}}}%s) == 1"
    return _annotation(
        "Phases",
        "light-blue",
        f"({stands % ''}) unless ({stands % ' offset 2s'})",
        title="{{phase}}",
        tags="scenario,phase",
    )


def _breaches() -> Json:
    proven = f"max by (scenario, promise) (payment_chaos_breaches_total{{{S}}}%s)"
    return _annotation(
        "Breaches",
        "red",
        f"({proven % ''}) > ({proven % ' offset 2s'})",
        title="{{promise}} broken",
        tags="scenario,promise",
    )


def _annotation(name: str, color: str, expr: str, *, title: str, tags: str) -> Json:
    """A query whose points above 0 are marked; points side by side are one window."""
    return {
        "name": name,
        "datasource": SOURCE,
        "enable": True,
        "hide": False,
        "iconColor": color,
        "expr": expr,
        "step": "1s",
        "titleFormat": title,
        "textFormat": "",
        "tagKeys": tags,
    }
