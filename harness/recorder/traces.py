"""Under which W3C trace does the target know an operation of the history?

    run id, scenario ──> Traces ──an operation's id──> trace id ─┐
                                └──its nth request───> span id ──┴─> the header `traceparent`

Nothing of it is stored: the ids are digests of what run.json, scenario.json and the operation's row hold, so that
whoever reads a saved run says the same ones again. Ids of operations begin anew in each scenario of a run, which is
why its name counts. An operation of several requests is one trace with as many spans.

What no row of the history tells of carries no trace: probes, the looks at the status page that go on all the while,
the last reads, the books. A run from before requests carried the header has ids too, but no target ever saw them.
Source: https://www.w3.org/TR/trace-context-2/, version 00.
"""

from hashlib import blake2b

TRACEPARENT = "traceparent"


class Traces:
    """The traces of one scenario of one run; a header costs about 2 us."""

    def __init__(self, *, run_id: str, scenario: str) -> None:
        about = f"{run_id}/{scenario}/".encode()
        self._trace = blake2b(about, digest_size=16, person=b"trace")
        self._span = blake2b(about, digest_size=8, person=b"span")

    def trace_id(self, operation: int) -> str:
        """The trace of the operation with this id, as 32 hex digits."""
        digest = self._trace.copy()
        digest.update(b"%d" % operation)
        return digest.hexdigest()

    def traceparent(self, operation: int, nth: int) -> str:
        """The header's value for an operation's nth request, from 1; it asks the target to keep the trace.

        Ids of zeros alone, which the standard forbids, are as likely as any other: one request in 2^64.
        """
        digest = self._span.copy()
        digest.update(b"%d/%d" % (operation, nth))
        return f"00-{self.trace_id(operation)}-{digest.hexdigest()}-01"
