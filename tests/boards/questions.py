"""What does the dashboard ask Prometheus, panel by panel?"""

import json
from dataclasses import dataclass
from typing import Any

from tests.readme import ROOT

FOLDER = ROOT / "compose" / "grafana"
FILE = FOLDER / "dashboards" / "payment-chaos.json"
RATE_INTERVAL = "5s"
"""What Grafana puts for $__rate_interval where Prometheus asks once a second: at least four times that."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One query, and where it stands."""

    panel: str
    letter: str
    expr: str

    def __str__(self) -> str:
        return f"{self.panel}, {self.letter}"

    def asked_of(self, scenario: str) -> str:
        """As Prometheus gets it, with the variables' values in it."""
        return self.expr.replace("$__rate_interval", RATE_INTERVAL).replace("$scenario", scenario)


BOARD: dict[str, Any] = json.loads(FILE.read_text())
PANELS: list[dict[str, Any]] = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
ANNOTATIONS: list[dict[str, Any]] = BOARD["annotations"]["list"]
QUESTIONS = [
    Question(panel=panel["title"], letter=target["refId"], expr=target["expr"])
    for panel in PANELS
    for target in panel["targets"]
]
MARKS = [Question(panel=each["name"], letter="annotation", expr=each["expr"]) for each in ANNOTATIONS]
BREACHES = "Breaches"
"""The annotation that has something to show only where something broke."""
