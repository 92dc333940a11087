"""A run that is over: servers, their sources, and a history of three journeys."""

import json
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.documents import Anchor
from harness.evidence.asking import Patience
from harness.evidence.collect import Collection, collect
from harness.operation import Op
from harness.recorder.rows import Done, Footer, Header, Inv, Row
from harness.targets.reference import Reference
from harness.targets.source import Source
from tests.evidence.servers import Api, Provider

PATIENCE = Patience(request_s=2, wait=lambda _: None)
ANCHOR = Anchor(monotonic_ns=0, utc_ms=0.0, error_ms=0.0)
TARGET = Reference({"token_secret": "s", "operator_token": "op"})


@dataclass(kw_only=True)
class Scene:
    """Servers, their sources, and a history of three journeys.

    u1 made o-1 and saw it; u2's create had no answer, and made o-2; u3 was refused.
    """

    api: Api
    providers: dict[str, Provider]
    sources: tuple[Source, ...]
    base_url: str
    folder: Path

    def collect(self, **changes: float) -> Collection:
        return collect(
            target=TARGET,
            base_url=self.base_url,
            sources=self.sources,
            history=self.folder / "history",
            into=self.folder / "evidence",
            anchor=ANCHOR,
            limit_s=changes.get("limit_s", 20),
            patience=PATIENCE,
        )

    def rows(self, name: str) -> list[dict[str, object]]:
        lines = (self.folder / "evidence" / f"{name}.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def files(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "evidence").iterdir())


def ledger_rows(count: int) -> list[dict[str, object]]:
    return [{"seq": seq, "kind": "captured", "amount_minor": 1200, "order": "o-1"} for seq in range(1, count + 1)]


def write_history(folder: Path, *, torn: bool = True) -> None:
    rows: list[Row] = [Header(schema_version=1, worker=0, clock="monotonic")]
    for journey in (1, 2, 3):
        rows += [inv(journey * 10, journey, Op.JOURNEY, user=f"u{journey}"), inv(journey * 10 + 1, journey, Op.CREATE)]
    rows += [
        Done(id=11, outcome="ok", done_ns=2, order_no=1, order="o-1"),
        Done(id=21, outcome="info", done_ns=2),
        Done(id=31, outcome="fail", done_ns=2, code="sold_out"),
    ]
    rows += [Footer(invocations=6, completions=3, cut_short=False)]
    folder.mkdir()
    text = b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
    (folder / "0.jsonl").write_bytes(text + (b'{"k":"done","id":10,"or' if torn else b""))


def inv(number: int, journey: int, op: Op, user: str | None = None) -> Inv:
    return Inv(id=number, journey=journey, intent=journey, op=op, phase="steady", scheduled_ns=1, sent_ns=1, user=user)
