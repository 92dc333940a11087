"""Which number falls for this seed and these words?

Delays, pending answers, ids and the orders that a ratio hits are drawn from the
run's seed, never from a global generator: what a number does to the next one
cannot depend on which request came first.
"""

import hashlib


def draw(seed: int, *words: str | int) -> int:
    """An integer in [0, 2**64) that depends on nothing but its arguments."""
    text = "|".join((str(seed), *(str(word) for word in words)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def draw_share(seed: int, *words: str | int) -> float:
    """The same as a share in [0, 1)."""
    return draw(seed, *words) / 2**64


def draw_hex(seed: int, length: int, *words: str | int) -> str:
    """The same as `length` hex digits, at most 64: material for ids."""
    text = "|".join((str(seed), *(str(word) for word in words)))
    return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()[:length]


def draw_delay_ms(seed: int, what: str, number: str) -> int:
    """How long a capture or a refund takes by itself: 50 to 300 ms."""
    return 50 + draw(seed, what, number) % 251
