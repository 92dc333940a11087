"""What does `verdict.json` say, byte for byte?

A `Verdict` field by field, and the schema's version. Keys are sorted and nothing in it depends on
clock, machine or folder, so that judging one folder twice gives equal files. The file of a run holds
all scenarios; beside each scenario lies one with that scenario alone. Reading gives back the values
that were written. No I/O.
"""

import json

import msgspec

from harness.verdict import Verdict

SCHEMA_VERSION = 2
"""2: counts are called `examined` and `undecided`, as in the code."""


class _Versioned(msgspec.Struct):
    schema_version: int


def encode_verdict(verdict: Verdict) -> bytes:
    """`verdict.json`: UTF-8, indented, keys sorted, a newline at its end."""
    document = {"schema_version": SCHEMA_VERSION, **msgspec.to_builtins(verdict)}
    text = json.dumps(document, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def decode_verdict(raw: bytes) -> Verdict:
    """The verdict that `encode_verdict` wrote; raises `ValueError` where it is none, or of another schema."""
    try:
        version = msgspec.json.decode(raw, type=_Versioned).schema_version
        if version != SCHEMA_VERSION:
            raise ValueError(f"a verdict of schema {version}; this harness reads {SCHEMA_VERSION}")
        return msgspec.json.decode(raw, type=Verdict)
    except msgspec.MsgspecError as exc:
        raise ValueError(f"not a verdict: {exc}") from exc
