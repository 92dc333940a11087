"""How are shares of several kinds judged when some kinds have few cases?

A PASS needs at least 1/(1 - objective) cases, else the one miss that the objective allows would not
have fitted in; and a kind with fewer must not fail on that one miss. So kinds with too few cases are
judged together with the next larger ones, by the lowest of their objectives: no case goes unjudged.
"""

from collections.abc import Iterable

from harness.binomial import meets
from harness.verdict import Ratio


def judged_together(ratios: Iterable[Ratio]) -> tuple[Ratio, ...]:
    """The shares as they are to be judged: those with enough cases alone, the others put together.

    Kinds without a case are left out. Where all cases together are too few, one share of all remains.
    """
    groups: list[list[Ratio]] = []
    few: list[Ratio] = []
    for ratio in sorted(ratios, key=lambda ratio: (ratio.total, ratio.what)):
        if ratio.total == 0:
            continue
        few.append(ratio)
        joined = _joined(few)
        if meets(joined.total, joined.total, joined.objective):
            groups.append(few)
            few = []
    if few:
        groups.append([*(groups.pop() if groups else []), *few])
    return tuple(sorted((_joined(group) for group in groups), key=lambda ratio: ratio.what))


def weakest(ratios: Iterable[Ratio]) -> Ratio | None:
    """The share that lies lowest against its objective; None without any."""
    counted = [ratio for ratio in ratios if ratio.total]
    return min(counted, key=lambda ratio: (ratio.good / ratio.total - ratio.objective, ratio.what), default=None)


def _joined(parts: list[Ratio]) -> Ratio:
    if len(parts) == 1:
        return parts[0]
    return Ratio(
        good=sum(part.good for part in parts),
        total=sum(part.total for part in parts),
        objective=min(part.objective for part in parts),
        what=f"together: {'; '.join(sorted(part.what for part in parts))}",
        evidence={part.what: dict(part.evidence) for part in parts},
        parts=tuple(sorted(parts, key=lambda part: part.what)),
    )
