"""Which idempotency key did a request carry, if the history gives its number?"""

MOST_KEYS = 1 << 16
"""Keys of one journey; key numbers of different journeys do not meet."""


def key_number(journey: int, nth: int) -> int:
    """Number, in the history, of a journey's nth key, from 1."""
    return journey * MOST_KEYS + nth


def key_text(user: str, nth: int) -> str:
    """The key as it is sent; its text names run and journey, as users do."""
    return f"{user}-{nth}"


def key_of(user: str, number: int) -> str:
    """The key as it was sent, from its number in the history."""
    return key_text(user, number % MOST_KEYS)
