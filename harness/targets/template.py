"""How are placeholders in a target file filled in?

`{edge.wechat}` stands for what `values` has under that name; `{{` and `}}` are
braces. Anything else in braces is an error that names the place and the nearest
words, when the file is read and not in the middle of a start.
"""

import difflib
import re
from collections.abc import Callable, Mapping

from harness.errors import TargetFileError

_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_BRACES = {"{{": "{", "}}": "}"}


def fill(text: str, values: Mapping[str, str], *, where: str) -> str:
    """The text with every placeholder filled in; raises TargetFileError, naming `where`, for one without a value."""

    def value(name: str) -> str:
        if name not in values:
            raise TargetFileError(f"{where}: {{{name}}} is unknown{nearest(name, values)}")
        return values[name]

    return _replace(text, value, where)


def placeholders(text: str, *, where: str) -> frozenset[str]:
    """Names of all placeholders in the text; raises TargetFileError for a brace that belongs to none."""
    names: set[str] = set()

    def note(name: str) -> str:
        names.add(name)
        return ""

    _replace(text, note, where)
    return frozenset(names)


def nearest(word: str, known: Mapping[str, object] | frozenset[str] | tuple[str, ...]) -> str:
    """The end of an error: what was probably meant, else everything there is."""
    close = difflib.get_close_matches(word, list(known), n=2, cutoff=0.5)
    if close:
        return f"; did you mean {' or '.join(close)}?"
    return f"; there are: {', '.join(sorted(known))}" if known else "; there are none"


def _replace(text: str, value: Callable[[str], str], where: str) -> str:
    def one(match: re.Match[str]) -> str:
        part = match.group()
        if part in _BRACES:
            return _BRACES[part]
        if match.group(1) is None:
            raise TargetFileError(f"{where}: a lone {part} in {text!r}; write {part * 2} for a brace")
        return value(match.group(1))

    return _PART.sub(one, text)
