"""Slots are held for their time, the queue is short, and nothing begins for those who have gone."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import TypeVar

import pytest

from compose.payment_api.admission import WAIT_S, Admission, Full, Gone, Slot
from compose.payment_api.defects import Defect

T = TypeVar("T")
LONG_S = WAIT_S * 4
"""A slot that does not come free while anybody waits."""
SHORT_S = WAIT_S / 10


async def here() -> bool:
    return False


async def hung_up() -> bool:
    return True


def admission(slots: int, slot_s: float, *defects: Defect) -> Admission:
    return Admission(slots=slots, slot_s=slot_s, defects=frozenset(defects))


def taken(of: Admission) -> None:
    slot = of.at_once()
    assert slot is not None
    slot.use()


async def waits(of: Admission, *, is_gone: Callable[[], Awaitable[bool]] = here, behind: bool = False) -> str:
    """What became of one who queues, and at once uses the slot."""
    try:
        slot: Slot = await of.wait(is_gone, behind=behind)
    except (Full, Gone) as exc:
        return type(exc).__name__
    slot.use()
    return "begun"


def run(work: Coroutine[object, object, T]) -> T:
    return asyncio.run(work)


def test_a_slot_that_was_not_used_is_free_again_at_once() -> None:
    async def story() -> bool:
        of = admission(1, LONG_S)
        slot = of.at_once()
        assert slot is not None
        with slot:
            assert of.at_once() is None
        return of.at_once() is not None

    assert run(story())


def test_a_slot_that_was_used_is_handed_to_whoever_waits_longest() -> None:
    async def story() -> list[str]:
        of = admission(1, SHORT_S)
        taken(of)
        done: list[str] = []

        async def queue(name: str) -> None:
            done.append(f"{name} {await waits(of)}")

        await asyncio.gather(queue("first"), queue("second"))
        return done

    assert run(story()) == ["first begun", "second begun"]


def test_no_more_may_wait_than_can_be_served_in_time() -> None:
    async def story() -> tuple[bool, list[str], bool]:
        of = admission(1, WAIT_S / 2)
        taken(of)
        waiting = [asyncio.ensure_future(waits(of)) for _ in range(2)]
        await asyncio.sleep(0)
        was_full = of.is_full
        with pytest.raises(Full):
            await of.wait(here)
        ends = await asyncio.gather(*waiting)
        return was_full, ends, of.is_full

    was_full, ends, _ = run(story())
    assert was_full
    assert ends[0] == "begun"


def test_one_who_waited_in_vain_is_refused_and_takes_no_slot() -> None:
    async def story() -> tuple[str, bool]:
        of = admission(5, LONG_S)
        slots = [of.at_once() for _ in range(5)]
        end = await waits(of)
        for slot in slots:
            assert slot is not None
            with slot:
                pass
        return end, of.at_once() is not None

    assert run(story()) == ("Full", True)


@pytest.mark.parametrize(("defects", "next_one"), [((), "begun"), ((Defect.CONGESTION_COLLAPSE,), "Full")])
def test_for_one_who_hung_up_nothing_begins_and_the_slot_goes_on(defects: tuple[Defect, ...], next_one: str) -> None:
    async def story() -> list[str]:
        of = admission(10, LONG_S, *defects)
        slots = [of.at_once() for _ in range(10)]
        gone = asyncio.ensure_future(waits(of, is_gone=hung_up))
        after = asyncio.ensure_future(waits(of))
        await asyncio.sleep(0)
        assert slots[0] is not None
        with slots[0]:
            pass
        return [await gone, await after]

    assert run(story()) == ["Gone", next_one]


def test_congestion_collapse_spends_slots_on_those_who_were_refused_long_ago() -> None:
    async def story() -> tuple[list[str], bool]:
        of = admission(1, LONG_S, Defect.CONGESTION_COLLAPSE)
        slot = of.at_once()
        assert slot is not None
        ends = await asyncio.gather(waits(of), waits(of), waits(of))
        with slot:
            pass
        return list(ends), of.at_once() is None

    assert run(story()) == (["Full", "Full", "Full"], True)


def test_refunds_behind_payments_wait_until_no_payment_does() -> None:
    async def story() -> list[str]:
        of = admission(1, SHORT_S)
        taken(of)
        done: list[str] = []

        async def queue(name: str, *, behind: bool) -> None:
            done.append(f"{name} {await waits(of, behind=behind)}")

        await asyncio.gather(queue("refund", behind=True), queue("payment", behind=False))
        return done

    assert run(story()) == ["payment begun", "refund begun"]


def test_one_whose_request_is_cancelled_leaves_the_queue() -> None:
    async def story() -> str:
        of = admission(1, WAIT_S / 2)
        taken(of)
        cancelled = asyncio.ensure_future(waits(of))
        await asyncio.sleep(0)
        cancelled.cancel()
        return await waits(of)

    assert run(story()) == "begun"
