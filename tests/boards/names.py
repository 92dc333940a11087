"""Which metrics are there, by the code that exposes them, and which does a PromQL expression name?"""

import re
from collections.abc import Iterable
from functools import cache

from prometheus_client.parser import text_string_to_metric_families

from compose.payment_api.metrics import COUNTED, Type
from compose.payment_api.standing import STANDING
from harness.live.metrics import METRICS
from harness.report import prometheus
from tests.readme import RULES
from tests.report.examples import EVERY

PROCESS = frozenset({"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"})
"""What prometheus-client tells of any process, as far as it is asked for here."""
_QUOTED = re.compile(r'"[^"]*"')
_LABELS = re.compile(r"\{[^}]*\}")
_GROUPED = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_RANGE = re.compile(r"\[[^\]]*\]")
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_WORDS = frozenset(
    {"abs", "and", "avg", "bool", "clamp_max", "clamp_min", "count", "histogram_quantile", "increase", "label_replace"}
    | {"max", "max_over_time", "min", "min_over_time", "or", "rate", "round", "scalar", "sum", "time", "topk", "unless"}
    | {"offset", "vector"}
)


def live() -> frozenset[str]:
    """Every series name that a run exposes while it goes on."""
    return _series((metric.exposed, metric.type == Type.HISTOGRAM) for metric in METRICS.values())


def api() -> frozenset[str]:
    """Every series name of the reference API's own."""
    return _series((metric.name, metric.type is Type.HISTOGRAM) for metric in (*COUNTED, *STANDING))


def reported() -> frozenset[str]:
    """Every series name of a run's textfile."""
    texts = (prometheus.render(run).decode() for run in EVERY.values())
    return frozenset(family.name for text in texts for family in text_string_to_metric_families(text))


def recorded() -> frozenset[str]:
    """What the recording rules make."""
    return frozenset(re.findall(r"^ *- record: (\S+)$", RULES.read_text(), flags=re.MULTILINE))


@cache
def known() -> frozenset[str]:
    """All of them, with those that every Prometheus has."""
    return live() | api() | reported() | recorded() | PROCESS | {"up"}


def named(expression: str) -> frozenset[str]:
    """The metrics in an expression: its names that are no words of PromQL, labels or numbers."""
    for told in (_QUOTED, _LABELS, _RANGE, _GROUPED):
        expression = told.sub(" ", expression)
    return frozenset(_NAME.findall(re.sub(r"\b[0-9][0-9a-z.]*", " ", expression))) - _WORDS


def _series(metrics: Iterable[tuple[str, bool]]) -> frozenset[str]:
    ends = {True: ("_bucket", "_sum", "_count"), False: ("",)}
    return frozenset(name + end for name, is_histogram in metrics for end in ends[is_histogram])
