"""Is what only a provider can tell said to be not offered where no ledger is declared, instead of held?"""

from pathlib import Path

import msgspec
import pytest

from harness.checks import CHECKS
from harness.evidence.tables import open_evidence
from harness.verdict import Status
from tests.histories.order_stories import two_good_orders
from tests.histories.story import judged


@pytest.mark.parametrize(
    "name",
    [
        "no_double_charge",
        "no_orphan_charge",
        "no_over_refund",
        "money_conserved",
        "detection_time",
        "retry_amplification",
    ],
)
def test_a_promise_about_what_providers_did_is_not_offered_without_their_ledgers(name: str, tmp_path: Path) -> None:
    story = two_good_orders()
    sources = tuple(source for source in story.scenario.sources if source.kind != "ledger")
    story.scenario = msgspec.structs.replace(story.scenario, sources=sources)
    with open_evidence(story.write(tmp_path)) as evidence:
        result = CHECKS[name].function(evidence)
        assert result.not_offered is not None
        assert "ledger" in result.not_offered or "books" in result.not_offered or "reconciliation" in result.not_offered
        assert judged(CHECKS[name], result).status is not Status.PASS
