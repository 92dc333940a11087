"""Writes the parts of README.md that come from the code: `python -m tests.readme`, or `make readme`.

A part stands between `<!-- generated: NAME -->` and `<!-- end -->`. The table of defects comes from
the verdicts of a proof instead, and is written by `python -m tests.proof --write-readme`.
"""

import ast
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML

from compose.payment_api.metrics import COUNTED
from compose.payment_api.standing import STANDING
from harness import errors
from harness.catalogue import Entry, known_scenarios
from harness.checks import CHECKS
from harness.errors import ExitCode
from harness.facts import ELSEWHERE, FACTS
from harness.faults import FAULTS
from harness.live.metrics import METRICS
from harness.scenario import CLAIMED_ALWAYS

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
RULES = ROOT / "compose" / "prometheus" / "rules.yml"
END = "<!-- end -->"


def rewrite(text: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """The text with each named part made anew; raises ValueError where its markers are missing."""
    for name, make in parts.items():
        begin = f"<!-- generated: {name} -->"
        before, found, rest = text.partition(begin)
        _, ended, after = rest.partition(END)
        if not found or not ended:
            raise ValueError(f"README.md has no markers {begin} ... {END}")
        text = f"{before}{begin}\n{make()}\n{END}{after}"
    return text


def exit_codes() -> str:
    """Code and meaning; the meanings are the strings that stand below each member."""
    body = ast.parse(inspect.getsource(errors.ExitCode)).body[0]
    assert isinstance(body, ast.ClassDef)
    meanings: dict[str, str] = {}
    name = ""
    for line in body.body:
        match line:
            case ast.Assign(targets=[ast.Name(id=name)]):
                pass
            case ast.Expr(value=ast.Constant(value=str(meaning))) if name:
                meanings[name] = meaning
    return _table(("exit code", "meaning"), ((str(int(code)), meanings[code.name]) for code in ExitCode))


def scenarios() -> str:
    """What each is about, and what it claims beyond what all of them claim."""
    rows = []
    for entry in entries():
        claims = sorted({name for names in entry.claims.values() for name in names} - CLAIMED_ALWAYS.keys())
        seconds = ", ".join(f"{size} {length:g}" for size, length in entry.seconds.items())
        rows.append((f"`{entry.name}`", entry.what, " ".join(entry.facts), seconds, _names(claims)))
    head = ("scenario", "what happens to the customer", "facts", "load, s", "claims")
    return f"All of them claim {_names(sorted(CLAIMED_ALWAYS))}.\n\n{_table(head, rows)}"


def checks() -> str:
    """Every promise that a run can be held to."""
    rows = ((f"`{name}`", check.promise, " ".join(check.facts)) for name, check in CHECKS.items())
    return _table(("check", "promise", "facts"), rows)


def faults() -> str:
    """Every fault, under the name that a scenario file imports."""
    rows = ((f"`{fault.make.__name__}`", fault.driver.value, fault.line) for fault in FAULTS.values())
    return _table(("fault", "made by", "what it does"), rows)


def facts() -> str:
    """Every fact, and what answers to it."""
    rows = []
    for number, told in FACTS.items():
        named_scenarios = _names(entry.name for entry in entries() if number in entry.facts)
        named_checks = _names(name for name, check in CHECKS.items() if number in check.facts)
        rows.append((number, told, named_scenarios, "; ".join(filter(None, (named_checks, ELSEWHERE.get(number))))))
    return _table(("fact", "what was reported", "scenarios", "checks, and what else answers to it"), rows)


def api_metrics() -> str:
    """Every metric that the reference API tells of itself."""
    metrics = sorted((*COUNTED, *STANDING), key=lambda metric: metric.name)
    rows = ((f"`{metric.name}`", metric.type.value, _names(metric.labels), metric.told) for metric in metrics)
    return _table(("metric", "type", "labels", "what it tells"), rows)


def live_metrics() -> str:
    """Every metric that a run gives while it goes on."""
    rows = ((f"`{metric.exposed}`", metric.type, _names(metric.labels), metric.told) for metric in METRICS.values())
    return _table(("metric", "type", "labels", "what it tells"), rows)


def alerts() -> str:
    """Every alert of Prometheus' rules."""
    groups = YAML(typ="safe").load(RULES)["groups"]
    rules = [rule for group in groups for rule in group["rules"] if "alert" in rule]
    rows = (
        (f"`{rule['alert']}`", rule["labels"]["severity"], rule["annotations"]["description"].partition(". ")[0] + ".")
        for rule in rules
    )
    return _table(("alert", "severity", "what it means"), rows)


def unanswered() -> set[str]:
    """Facts that nothing answers to."""
    answered = {fact for entry in entries() for fact in entry.facts} | {f for c in CHECKS.values() for f in c.facts}
    return FACTS.keys() - answered - ELSEWHERE.keys()


PARTS: Mapping[str, Callable[[], str]] = {
    "exit codes": exit_codes,
    "scenarios": scenarios,
    "checks": checks,
    "faults": faults,
    "facts": facts,
    "api metrics": api_metrics,
    "alerts": alerts,
    "live metrics": live_metrics,
}


@cache
def entries() -> list[Entry]:
    """Our own scenarios, asked for once, since that takes a program."""
    return known_scenarios(ROOT / "scenarios")


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, tuple("---" for _ in head), *rows))


def main() -> None:
    """Write the parts, and say whether anything changed."""
    before = README.read_text()
    after = rewrite(before, PARTS)
    README.write_text(after)
    sys.stdout.write("README.md: nothing to change\n" if after == before else "README.md: rewritten\n")


if __name__ == "__main__":
    main()
