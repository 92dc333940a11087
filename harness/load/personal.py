"""Which personal data does customer number k of a run carry, and is a number that turned up one of ours?

Canaries: phone numbers, card numbers and openids that no real person has, seeded by seed, run and
number, with prefixes by which they are known again. Whoever finds digits that look like one asks
here whether this run ever made them, so that an id or an instant that happens to look alike is none.
Pure.
"""

import base64
import hashlib
from dataclasses import dataclass

PHONE_PREFIX = "1990"
CARD_PREFIX = "999952"
"""Of the range that ISO/IEC 7812 leaves to national use: no scheme issues such a card."""
OPENID_PREFIX = "oChaos"
OPENID_CHARS = 22
"""After the prefix: 28 in all, as WeChat's have."""
USER_PREFIX = "u"
VARIETY = 100_000
"""So many different phones and cards a run has; numbers beyond begin anew."""

_PHONES = 10**7
_CARDS = 10**9
_STEP = 6_700_417
"""Coprime to both, so that different numbers give different digits that are no row of neighbours."""
_PHONE_BACK = pow(_STEP, -1, _PHONES)
_CARD_BACK = pow(_STEP, -1, _CARDS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Personal:
    """What one customer would not have anybody see."""

    phone: str
    """11 digits."""
    card: str
    """16 digits; the last is Luhn's."""
    openid: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Canaries:
    """The personal data of all customers of one run."""

    seed: int
    run_id: str

    @property
    def users(self) -> str:
        """How every user of this run begins; a bearer token that names its user begins so too."""
        return f"{USER_PREFIX}-{self.run_id}-"

    def of(self, number: int) -> Personal:
        """The data of customer `number`, from 0."""
        nth = number % VARIETY
        account = f"{CARD_PREFIX}{(nth + self._shift()) * _STEP % _CARDS:09d}"
        secret = hashlib.sha256(f"openid/{self.seed}/{self.run_id}/{number}".encode()).digest()
        return Personal(
            phone=f"{PHONE_PREFIX}{(nth + self._shift()) * _STEP % _PHONES:07d}",
            card=account + luhn_digit(account),
            openid=OPENID_PREFIX + base64.urlsafe_b64encode(secret).decode()[:OPENID_CHARS],
        )

    def is_phone(self, digits: str) -> bool:
        """Whether 11 digits that begin with `PHONE_PREFIX` are a phone number of this run."""
        nth = int(digits[len(PHONE_PREFIX) :]) * _PHONE_BACK - self._shift()
        return nth % _PHONES < VARIETY

    def is_card(self, digits: str) -> bool:
        """Whether 16 digits that begin with `CARD_PREFIX` are a card number of this run."""
        nth = int(digits[len(CARD_PREFIX) : -1]) * _CARD_BACK - self._shift()
        return nth % _CARDS < VARIETY and luhn_digit(digits[:-1]) == digits[-1]

    def _shift(self) -> int:
        return int.from_bytes(hashlib.sha256(f"canaries/{self.seed}/{self.run_id}".encode()).digest()[:8])


def luhn_digit(account: str) -> str:
    """The check digit that belongs behind these digits (ISO/IEC 7812-1)."""
    total = 0
    for place, char in enumerate(reversed(account)):
        digit = int(char) * (2 - place % 2)
        total += digit - 9 if digit > 9 else digit  # noqa: PLR2004
    return str(-total % 10)
