"""Between which shares may the true one lie, having seen `good` of `total`, and when do two differ?

Exact one-sided bounds of Clopper and Pearson (Biometrika 26, 1934), each with 95 % confidence unless said,
found by bisection on the regularised incomplete beta function. Pure Python, sound up to a
million cases; no I/O.
"""

from math import exp, lgamma, log, log1p

CONFIDENCE = 0.95

_BISECTIONS = 56
"""Halvings of [0, 1]: below the spacing of doubles near 1, so that more would change nothing."""
_FRACTION_STEPS = 20_000
"""Limit on the continued fraction; it needs about the square root of the larger parameter."""
_CONVERGED = 1e-15
_TINY = 1e-300


def upper_bound(good: int, total: int, *, confidence: float = CONFIDENCE) -> float:
    """Largest true share that would still show as few as `good` of `total` in one case of twenty; 1.0 of none."""
    _demand_counts(good, total)
    if good == total:
        return 1.0
    return _beta_quantile(good + 1, total - good, confidence)


def lower_bound(good: int, total: int, *, confidence: float = CONFIDENCE) -> float:
    """Smallest true share that would still show as many as `good` of `total` in one case of twenty; 0.0 of none."""
    _demand_counts(good, total)
    if good == 0:
        return 0.0
    return _beta_quantile(good, total - good + 1, 1.0 - confidence)


def falls_short(good: int, total: int, objective: float) -> bool:
    """Even the highest share that what was seen allows lies below `objective`."""
    return upper_bound(good, total) < objective


def meets(good: int, total: int, objective: float) -> bool:
    """The measured share reaches `objective`, over enough cases for one miss to have been bearable."""
    if total == 0:
        return False
    # The slack forgives 0.99 for not being a binary fraction: 100 cases are enough for it.
    enough = total * (1.0 - objective) >= 1.0 - 1e-9
    return enough and good >= objective * total * (1.0 - 1e-12)


def fell(before: tuple[int, int], after: tuple[int, int]) -> bool:
    """Even the highest share that `after` allows lies below the lowest that `before` does; both are (good, total).

    Because both bounds have to part, a fall is said of fewer shares that did not change than the one in twenty of a
    single bound: of one in a hundred, or one in sixty where one side has ten times the other's cases. Nothing falls
    from or to no cases.
    """
    if not before[1] or not after[1] or after[0] * before[1] >= before[0] * after[1]:
        return False
    return upper_bound(*after) < lower_bound(*before)


def _demand_counts(good: int, total: int) -> None:
    if not 0 <= good <= total:
        raise ValueError(f"{good} good of {total}: good must lie between 0 and total")


def _beta_quantile(a: int, b: int, probability: float) -> float:
    """Where the incomplete beta function of a and b reaches `probability`."""
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if _incomplete_beta(a, b, middle) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _incomplete_beta(a: int, b: int, x: float) -> float:
    """Regularised: the chance that a share drawn from Beta(a, b) lies below x, with 0 < x < 1."""
    log_front = lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)
    front = exp(log_front)
    # The fraction converges fast only below the mean; above it the mirrored one does.
    if x < (a + 1) / (a + b + 2):
        return front * _continued_fraction(a, b, x) / a
    return 1.0 - front * _continued_fraction(b, a, 1.0 - x) / b


def _continued_fraction(a: int, b: int, x: float) -> float:
    """Evaluated by Lentz's method, which divides by nothing smaller than `_TINY`."""
    numerator = 1.0
    denominator = 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1))
    value = denominator
    for step in range(1, _FRACTION_STEPS):
        even = step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step))
        denominator = 1.0 / _away_from_zero(1.0 + even * denominator)
        numerator = _away_from_zero(1.0 + even / numerator)
        value *= denominator * numerator
        odd = -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1))
        denominator = 1.0 / _away_from_zero(1.0 + odd * denominator)
        numerator = _away_from_zero(1.0 + odd / numerator)
        change = denominator * numerator
        value *= change
        if abs(change - 1.0) < _CONVERGED:
            return value
    raise ArithmeticError(f"incomplete beta of {a}, {b} at {x} did not settle in {_FRACTION_STEPS} steps")


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
