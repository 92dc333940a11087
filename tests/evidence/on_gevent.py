"""Collect under gevent, as the conductor does inside Locust: `python on_gevent.py FOLDER`.

The API answers a read only once eight stand before it, so a pool that is no pool
would wait until the barrier's own limit and see 500.
"""

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402  # gevent patches first, or not at all
import threading  # noqa: E402
from pathlib import Path  # noqa: E402

import msgspec  # noqa: E402

from harness.documents import Anchor  # noqa: E402
from harness.evidence.asking import Patience  # noqa: E402
from harness.evidence.collect import collect  # noqa: E402
from harness.recorder.rows import Inv  # noqa: E402
from harness.targets.reference import Reference  # noqa: E402
from tests.evidence.servers import Answer, Api, as_json, order_row, serving  # noqa: E402

READS = 24
SIDE_BY_SIDE = 8


def main(folder: Path) -> None:
    """Print how many reads succeeded."""
    together = threading.Barrier(SIDE_BY_SIDE, timeout=5)

    class Slow(Api):
        def shown(self, path: str, user: str) -> Answer:
            if path != "/v1/orders":
                try:
                    together.wait()
                except threading.BrokenBarrierError:
                    return as_json(500, {})
            return super().shown(path, user)

    (folder / "history").mkdir()
    row = Inv(id=1, journey=1, intent=1, op="journey", phase="steady", scheduled_ns=1, sent_ns=1, user="u1")
    (folder / "history" / "0.jsonl").write_bytes(msgspec.json.encode(row) + b"\n")
    with serving(Slow(orders={f"o-{number}": order_row(f"o-{number}", "u1") for number in range(READS)})) as url:
        collect(
            target=Reference({"token_secret": "s", "operator_token": "op"}),
            base_url=url,
            sources=(),
            history=folder / "history",
            into=folder / "evidence",
            anchor=Anchor(monotonic_ns=0, utc_ms=0.0, error_ms=0.0),
            limit_s=15,
            patience=Patience(tries=1, connections=SIDE_BY_SIDE),
        )
    reads = (folder / "evidence" / "reads.jsonl").read_text().splitlines()
    good = sum('"outcome":"ok"' in line for line in reads)
    sys.stdout.write(f"{good} reads, {SIDE_BY_SIDE} at a time\n")


main(Path(sys.argv[1]))
