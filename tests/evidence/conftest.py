"""The run that collection is tested on."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.targets.source import Source, SourceClock, SourceKind
from tests.evidence.scene import Scene, ledger_rows, write_history
from tests.evidence.servers import Api, Provider, order_row, refund_row, serving


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    api = Api(
        orders={"o-1": order_row("o-1", "u1"), "o-2": order_row("o-2", "u2", "open", paid=0)},
        books={"refunds": [refund_row("r-1", "o-1", "pending"), refund_row("r-2", "o-1", "done")]},
    )
    providers = {"alipay": Provider(rows=ledger_rows(3)), "wechat": Provider(rows=ledger_rows(2))}
    with ExitStack() as stack:
        base_url = stack.enter_context(serving(api))
        sources = [Source(name="target", kind=SourceKind.BOOKS, url=base_url)]
        for name, provider in providers.items():
            url = stack.enter_context(serving(provider))
            sources.append(
                Source(
                    name=name,
                    kind=SourceKind.LEDGER,
                    url=f"{url}/control/ledger",
                    headers={"X-Control-Key": "control"},
                    control_url=f"{url}/control",
                    clock=SourceClock.MONOTONIC,
                )
            )
        write_history(tmp_path / "history")
        yield Scene(api=api, providers=providers, sources=tuple(sources), base_url=base_url, folder=tmp_path)
