"""How long does a customer who pays wait for the result of an attempt?"""

from datetime import UTC, datetime, timedelta

import pytest

from compose.payment_api.payments import answer_by

CAME = datetime(2026, 11, 24, 20, 15, tzinfo=UTC)
DEADLINE = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("created_s", "answered_s"),
    [
        pytest.param(0.0, 1.0, id="one deadline, where the charge begins at once"),
        pytest.param(0.5, 1.5, id="one deadline from its beginning, where another attempt had to be closed first"),
        pytest.param(1.8, 2.0, id="not longer than anybody waits, where no connection was free"),
        pytest.param(-0.7, 0.3, id="what is left of it, where somebody asked before with the same key"),
        pytest.param(-60.0, -59.0, id="not at all, where that was long ago"),
    ],
)
def test_a_customer_is_answered_in_time_however_long_it_took_until_the_charge_began(
    created_s: float, answered_s: float
) -> None:
    by = answer_by(CAME + timedelta(seconds=created_s), CAME, DEADLINE)
    assert (by - CAME).total_seconds() == pytest.approx(answered_s)
