"""How can a customer's requests be sent again by hand?

As curl lines for a shell: where the target listens, the order's id and each customer's token are
variables, set once above the lines. The adapter says what each request looks like, without I/O; it is
given no secret, and what it makes of none is left out.

A request that is sent again is another one: under the trace of the run's, its spans would pass for that run's. So it
carries none, and the line above it names the trace of the run's, to be held against it.
"""

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from harness.load.keys import journey_of, key_of
from harness.load.traits import traits_of
from harness.operation import Method, Op
from harness.report.course import Asked
from harness.targets.protocol import Call, Request, Target

BRING_UP = (
    '# bring the target up by `harness up`; it prints where it listens as "customers\' requests"',
    "BASE_URL=${BASE_URL:?where customers send their requests}",
)
STAND_IN = "none"
"""What the adapter is given for a secret."""


def curl_lines(target: Target, sent: Iterable[Asked], order_id: str, *, seed: int, run_id: str) -> Iterator[str]:
    """A script for a POSIX shell, line by line; it runs as it is once BASE_URL is set."""
    yield from BRING_UP
    yield "# a target that is new gives the order another id: set it from the first answer"
    yield f"ORDER=${{ORDER:-{shlex.quote(order_id)}}}"
    for user, operations in groupby(sent, key=lambda each: each.user):
        yield f'TOKEN="$(harness token {shlex.quote(user)})"'
        private = dict(_first(target.read(user, order_id)).headers)
        for each in operations:
            call = _call(target, each, seed=seed, run_id=run_id)
            if call is None:
                yield f"# {each.op}: the adapter has no such request"
            else:
                yield f"# in the run: trace {each.trace_id}"
                yield _line(call, order_id, private)


def _call(target: Target, each: Asked, *, seed: int, run_id: str) -> Request | None:
    # The key, and the order wanted, are of the journey that the key was made by: of another where it is a replay.
    maker = traits_of(each.journey if each.key_no is None else journey_of(each.key_no), seed=seed, run_id=run_id)
    owner = maker.user if each.tried == Op.CREATE else each.user
    key = key_of(owner, each.key_no) if each.key_no is not None else ""
    order = each.order_id or ""
    calls: dict[str, Call] = {}
    match Op(each.tried or each.op) if each.op == Op.TRESPASS else Op(each.op):
        case Op.CREATE:
            wanted = replace(maker.order, amount_minor=each.amount_minor or maker.order.amount_minor)
            calls["made"] = target.create_order(each.user, wanted, key)
        case Op.PAY if each.method is not None:
            calls["made"] = target.pay(each.user, order, Method(each.method), key)
        case Op.READ:
            calls["made"] = target.read(each.user, order)
        case Op.LIST:
            calls["made"] = target.list_orders(each.user)
        case Op.REFUND if each.amount_minor is not None:
            calls["made"] = target.refund(each.user, order, each.amount_minor, key)
    return _first(calls["made"]) if calls else None


def _first(call: Call) -> Request:
    request = next(call)
    call.close()
    return request


def _line(request: Request, order_id: str, private: dict[str, str]) -> str:
    """One request; headers that a read carries too say who asks, and come from the variable."""
    words = ["curl -sS -i"]
    if request.method != "GET":
        words.append(f"-X {request.method}")
    words.append(_quoted(f"$BASE_URL{request.path}", order_id))
    public = [(name, value) for name, value in request.headers if private.get(name) != value]
    if len(public) < len(request.headers):
        words.append('-H "$TOKEN"')
    words += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in public]
    if request.body:
        words.append(f"-d {shlex.quote(request.body.decode(errors='replace'))}")
    return " ".join(words)


def _quoted(url: str, order_id: str) -> str:
    """In double quotes, with the order's id as a variable."""
    plain = url.replace("\\", "\\\\").replace('"', '\\"').replace("`", "\\`")
    return f'"{plain.replace(order_id, "$ORDER")}"'
