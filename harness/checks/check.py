"""What is a check, and which premises can it need?

A check is a function of the evidence that returns counts and findings, with a
name, the promise in words, the incident's facts behind it, and the premises
without which its silence proves nothing. `harness.checks.CHECKS` lists them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from harness.evidence.tables import Evidence
from harness.verdict import CheckResult


class Premise(StrEnum):
    """What must hold for a check's PASS to mean something; `assumptions` examines each one."""

    IDS_UNIQUE = "ids_unique"
    """No two rows of the history are about the same operation by mistake."""
    ROWS_COUNTED = "rows_counted"
    """The history has a footer, and as many rows as it says."""
    ARRIVALS_COUNTED = "arrivals_counted"
    """planned = started + missed."""
    LEDGERS_WHOLE = "ledgers_whole"
    """Every provider's ledger is there, gap-free from the watermark to its last `seq`."""
    RELEASES_WHOLE = "releases_whole"
    """Every place where released orders arrive told all that it was called for, gap-free from the watermark on."""
    BOOKS_WHOLE = "books_whole"
    """Every book that the target offers was read to its end."""
    FAULTS_CONFIRMED = "faults_confirmed"
    """Each fault was seen to begin, to hold and to end."""
    CLOCKS_BOUNDED = "clocks_bounded"
    """The offset of each clock that stamps evidence is known, within a bound."""
    SAME_BUILD = "same_build"
    """What answered is the process that was started."""
    QUIESCENT = "quiescent"
    """Nothing moved any more when the evidence was taken: two digests of effects and states agreed."""
    OWNERS_ASKED = "owners_asked"
    """Customers' own last reads and lists were taken, as far as the target offers them."""
    CONDUCT_TOLD = "conduct_told"
    """The conductor wrote how the run went, and there was nothing that it could not do."""
    GENERATOR_HEALTHY = "generator_healthy"
    """Journeys began when they were due, and the generator had CPU to spare."""


IN_TIME = frozenset(
    {
        Premise.IDS_UNIQUE,
        Premise.ROWS_COUNTED,
        Premise.ARRIVALS_COUNTED,
        Premise.FAULTS_CONFIRMED,
        Premise.SAME_BUILD,
        Premise.GENERATOR_HEALTHY,
    }
)
"""What every check needs that judges how many customers, or operations, fared well in time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One promise and the function that looks for breaches of it."""

    name: str
    promise: str
    """What the target promises, as one sentence that a customer would understand."""
    function: Callable[[Evidence], CheckResult]
    needs: frozenset[Premise]
    facts: tuple[str, ...] = ()
    """Facts of the incident that made it necessary, by number."""
    undecided_share: float = 0.0
    """Largest share of undecided cases that a PASS bears where the scenario does not say: 0 for orders and money."""
    unit: str = ""
    """Of what it measures: "s", "orders", ..."""
