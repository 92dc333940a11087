"""Which idempotency key did a request carry, if the history gives its number?"""

MOST_KEYS = 1 << 16
"""Keys of one journey; key numbers of different journeys do not meet."""
CREATE_KEY = 1
"""A journey's first key is the one by which it orders."""


def key_number(journey: int, nth: int) -> int:
    """Number, in the history, of a journey's nth key, from 1."""
    return journey * MOST_KEYS + nth


def key_text(user: str, nth: int) -> str:
    """The key as it is sent; its text names run and journey, as users do."""
    return f"{user}-{nth}"


def journey_of(number: int) -> int:
    """The journey whose key it is."""
    return number // MOST_KEYS


def key_of(user: str, number: int) -> str:
    """The key as it was sent, from its number in the history."""
    return key_text(user, number % MOST_KEYS)
