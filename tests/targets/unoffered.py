"""What an adapter answers for an operation that its API does not have."""

from harness.operation import Ending, Outcome
from harness.targets.books import BookPage
from harness.targets.protocol import BookCall, Call, Observation


def unoffered() -> Call:
    return Observation(outcome=Outcome.FAIL, ending=Ending.REFUSED, code="not_offered")
    yield


def no_books() -> BookCall:
    return BookPage(rows=(), cursor=None, problem="this API shows no books")
    yield
