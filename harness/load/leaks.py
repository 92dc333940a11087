"""Does a reply, a log line or a status page hold what must not leave the target?

    headers + body ──> plain text ──> kinds: phone, card, token, openid, stack, sql, path, other_order
                          │  ▲
                          └──┘ percent signs, JSON and HTML escapes, base64 in its three alignments, twice

Personal data are the run's own canaries (`personal`): digits that look alike and are none, and masked
values (199****5620), are no leak. Pure; runs on every reply of a load, so what is rare is looked for
only behind a plain substring test. Not seen: what a target compresses or encrypts, hex, digits that
it puts into words.
"""

import base64
import binascii
import html
import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote_to_bytes

from harness.load.personal import CARD_PREFIX, OPENID_CHARS, OPENID_PREFIX, PHONE_PREFIX, Canaries

PERSONAL = frozenset({"phone", "card", "token", "openid"})
"""Kinds that must not stand in a log either; stack, SQL and paths belong there."""
LAYERS = 2
"""So many encodings inside each other are taken off."""
LEAST_ID_CHARS = 12
"""Shorter order ids may be any number or word, so they are not looked for."""

_PHONE = re.compile(rb"(?=(%s[0-9]{7}))" % PHONE_PREFIX.encode())
_CARD = re.compile(rb"(?=(%s[0-9]{10}))" % CARD_PREFIX.encode())
_OPENID = re.compile(rb"%s[A-Za-z0-9_-]{%d}" % (OPENID_PREFIX.encode(), OPENID_CHARS))
_BEARER = re.compile(rb"Bearer(?: |\+|%20)+[A-Za-z0-9._~+/=-]{16,}")
_SPACING = b" -.()\t\xa0"
"""What people and formatters put between groups of digits."""

_STACK = re.compile(
    rb"Traceback \(most recent call last\)|File \"[^\"\n]+\", line [0-9]+|goroutine [0-9]+ \[|panic: |Caused by: \w"
    rb"|[\w$]\.(?:py|java|kt|scala|go|rb|php|rs|cs)\b\"?(?:[:(]|:?line |, line )[0-9]+|[\w$]\.[cm]?[jt]s:[0-9]+:[0-9]+"
)
_SQL = re.compile(
    rb"\bSELECT\b[^;]{1,400}?\bFROM\b|\bINSERT INTO\b|\bDELETE FROM\b|\bUPDATE \S+ SET\b|SQLSTATE|ORA-[0-9]{5}"
    rb"|(?i:\binsert into [\w.\"]+ ?\(|\bdelete from [\w.\"]+ where\b|\bupdate [\w.\"]+ set [\w.\"]+ ?="
    rb"|\bselect\b[^;]{1,400}?\bfrom [\w.\"]+ (?:[a-z]{1,2} )?(?:where|join|order by|limit)\b"
    rb"|duplicate key value violates|violates [\w-]+ constraint|syntax error at or near"
    rb"|relation \"[\w.]+\" does not exist)"
)
_PATH = re.compile(
    rb"(?:^|[\s\"'(=:,>])/(?:home|usr|var|opt|etc|srv|root|proc|tmp|mnt)/[\w.-]+"
    rb"|/[\w./-]+\.(?:pyc?|java|class|jar|go|rb|php|sql|so|conf)\b|site-packages|\b[A-Z]:\\+(?:\w+\\+)+\w+"
)
_INSIDES = (("stack", _STACK), ("sql", _SQL), ("path", _PATH))
_MARKS = re.compile(
    rb"Traceback|File \"|goroutine|panic: |Caused by"
    rb"|\.(?:pyc?|java|kt|scala|go|rb|php|rs|cs|[cm]?[jt]s|class|jar|sql|so|conf)\b"
    rb"|SELECT|select|INSERT|insert|DELETE|delete|UPDATE|update|SQLSTATE|ORA-|violates|syntax error|relation \""
    rb"|/(?:home|usr|var|opt|etc|srv|root|proc|tmp|mnt)/|site-packages|:\\"
)
"""One of these stands in whatever the patterns above match: one quick look instead of three slow ones."""

_ESCAPE = re.compile(rb"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_CONTROLS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f"}
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{8,}")
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_TELLING = (b"Traceback (most", b"SELECT ", b"INSERT INTO", b"site-packages", b"Bearer ")
"""What is looked for inside base64 beside the canaries."""
_WORD = re.compile(rb"[A-Za-z0-9_-]{%d,}" % LEAST_ID_CHARS)


class Scanner:
    """What must not leave the target in one run; it learns whose each order is from whoever is told of it."""

    def __init__(self, *, seed: int, run_id: str) -> None:
        self._canaries = Canaries(seed=seed, run_id=run_id)
        users = self._canaries.users.encode()
        self._users = users
        self._token = re.compile(re.escape(users) + rb"[0-9]+[.:~][A-Za-z0-9_-]{16,}")
        known = (PHONE_PREFIX.encode(), CARD_PREFIX.encode(), OPENID_PREFIX.encode(), users[:16], *_TELLING)
        self._in_base64 = re.compile(b"|".join(sorted(part for word in known for part in _aligned(word))))
        self._owners: dict[bytes, int] = {}

    def owns(self, journey: int, order: str) -> None:
        """Note whose an order is: the journey that was told of it first."""
        if len(order) >= LEAST_ID_CHARS:
            self._owners.setdefault(order.encode(), journey)

    def kinds(
        self, headers: Mapping[str, str], body: bytes, *, journey: int | None = None, asked: str | None = None
    ) -> tuple[str, ...]:
        """What stands in one reply and must not, by kind, sorted; nothing where all is well.

        `journey` is whose reply it is: the orders of others are then looked for, save the one that the request itself
        named (`asked`), which tells its sender nothing. Costs less than 50 us for a usual reply.
        """
        lines = [f"{name}: {value}" for name, value in headers.items()]
        text = "\n".join(lines).encode("latin-1", "replace") + b"\n" + body
        found: set[str] = set()
        known = None if asked is None else asked.encode()
        for layer in self._layers(text, LAYERS):
            self._look(layer, found)
            if journey is not None and self._names_another(layer, journey, known):
                found.add("other_order")
        return tuple(sorted(found))

    def personal(self, line: bytes) -> tuple[str, ...]:
        """Personal data in a line of a log, by kind, sorted."""
        found: set[str] = set()
        for layer in self._layers(line, LAYERS):
            self._look_personal(layer, found)
        return tuple(sorted(found))

    def _layers(self, text: bytes, left: int) -> Iterator[bytes]:
        """The text, and what it is once an encoding is taken off, and then another."""
        yield text
        if not left:
            return
        if b"\\" in text:
            yield from self._layers(_unescaped(text), left - 1)
        if b"%" in text and (plain := unquote_to_bytes(text)) != text:
            yield from self._layers(plain, left - 1)
        if b"&" in text and (plain := _without_entities(text)) != text:
            yield from self._layers(plain, left - 1)
        if self._in_base64.search(text):
            for decoded in _decoded(text, self._in_base64):
                yield from self._layers(decoded, left - 1)

    def _look(self, text: bytes, found: set[str]) -> None:
        self._look_personal(text, found)
        if _MARKS.search(text):
            found.update(kind for kind, pattern in _INSIDES if pattern.search(text))

    def _look_personal(self, text: bytes, found: set[str]) -> None:
        digits = text.translate(None, _SPACING)
        if PHONE_PREFIX.encode() in digits and any(map(self._canaries.is_phone, _matches(_PHONE, digits))):
            found.add("phone")
        if CARD_PREFIX.encode() in digits and any(map(self._canaries.is_card, _matches(_CARD, digits))):
            found.add("card")
        if OPENID_PREFIX.encode() in text and _OPENID.search(text):
            found.add("openid")
        if (self._users in text and self._token.search(text)) or (b"Bearer" in text and _BEARER.search(text)):
            found.add("token")

    def _names_another(self, text: bytes, journey: int, asked: bytes | None) -> bool:
        owner_of = self._owners.get
        for word in _WORD.findall(text):
            owner = owner_of(word)
            if owner is not None and owner != journey and word != asked:
                return True
        return False


def _matches(pattern: re.Pattern[bytes], digits: bytes) -> Iterator[str]:
    return (match[1].decode() for match in pattern.finditer(digits))


def _aligned(word: bytes) -> Iterator[bytes]:
    """What base64 makes of a word at each of its three alignments: the characters that depend on nothing around it."""
    for before in range(3):
        coded = base64.b64encode(bytes(before) + word).rstrip(b"=")
        first = (before * 8 + 5) // 6
        yield coded[first : (before + len(word)) * 8 // 6]


def _decoded(text: bytes, parts: re.Pattern[bytes]) -> Iterator[bytes]:
    """Each run of base64 that may hold something, decoded from each of the four places where a group can begin."""
    for run in _BASE64.findall(text):
        if parts.search(run):
            standard = run.translate(_TO_STANDARD)
            for skipped in range(4):
                whole = standard[skipped:]
                whole = whole[: len(whole) - (len(whole) % 4 == 1)]
                try:
                    yield binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))
                except binascii.Error:
                    continue


def _unescaped(text: bytes) -> bytes:
    """JSON's escapes taken off."""

    def plain(match: re.Match[bytes]) -> bytes:
        if match[1] is not None:
            return chr(int(match[1], 16)).encode("utf-8", "replace")
        return _CONTROLS.get(match[2], match[2])

    return _ESCAPE.sub(plain, text)


def _without_entities(text: bytes) -> bytes:
    return html.unescape(text.decode("latin-1")).encode("latin-1", "replace")
