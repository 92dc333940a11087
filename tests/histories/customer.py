"""How does one customer's way stand in a hand-written history?"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.recorder.rows import Done, Inv
from tests.histories.settings import PAY_BY_S, ns, utc_ms

if TYPE_CHECKING:
    from tests.histories.builder import Run


@dataclass(kw_only=True, slots=True)
class Journey:
    """One customer's way; every call adds one operation that began and ended at these seconds."""

    run: "Run"
    number: int
    user: str
    phase: str
    intent: int
    last_key: int = 0

    def create(self, sent: float, done: float | None, order: str | None, amount: int = 1000, **more: Any) -> int:
        """Order; `order` is the id that the reply named, None where it named none."""
        more = {
            "line": "ride",
            "result_id": order,
            "state": "open",
            "amount_minor": amount,
            "pay_by_utc_ms": utc_ms(sent + PAY_BY_S),
        } | more
        if more.get("outcome", "ok") != "ok":
            more |= {"result_id": None, "state": None, "amount_minor": None, "pay_by_utc_ms": None}
        return self.does("create", sent, done, named=order, asked=amount, **more)

    def pay(self, sent: float, done: float | None, order: str, method: str = "wechat", **more: Any) -> int:
        return self.does("pay", sent, done, order=order, method=method, **more)

    def read(self, sent: float, done: float | None, order: str, **more: Any) -> int:
        return self.does("read", sent, done, order=order, **more)

    def list(self, sent: float, done: float | None, listed: int, **more: Any) -> int:
        return self.does("list", sent, done, listed=listed, **more)

    def refund(self, sent: float, done: float | None, order: str, amount: int, **more: Any) -> int:
        return self.does("refund", sent, done, order=order, asked=amount, **more)

    def ends(self, done: float | None, final: str = "paid") -> None:
        """The final word; without this call the journey was cut."""
        if done is not None:
            self.run.history.append(Done(id=self.number, outcome="ok", done_ns=ns(done), code=final))

    def does(
        self,
        op: str,
        sent: float,
        done: float | None,
        *,
        order: str | None = None,
        named: str | None = None,
        asked: int | None = None,
        key: int | None = None,
        attempt: int = 1,
        method: str | None = None,
        scheduled: float | None = None,
        parent: int | None = None,
        intent: int | None = None,
        tried: str | None = None,
        line: str | None = None,
        **reply: Any,
    ) -> int:
        """One operation; `done` None: never completed. Returns its id.

        `key` numbers the idempotency key (a new one for each write unless said).
        `reply` holds fields of `Done`: outcome ("ok" unless said), http, code, state, ...
        """
        run, number = self.run, self.run.next_id()
        writes = op in {"create", "pay", "refund"} or tried in {"create", "pay", "refund"}
        run.history.append(
            Inv(
                id=number,
                journey=self.number,
                intent=intent or self.intent,
                op=op,
                phase=self.phase,
                scheduled_ns=ns(sent if scheduled is None else scheduled),
                sent_ns=ns(sent),
                parent=parent,
                tried=tried,
                method=method,
                key_no=(run.next_key() if key is None else key) if writes else None,
                attempt=attempt if writes else None,
                amount_minor=asked,
                currency="CNY" if op == "create" else None,
                line=line,
                **run.names(order),
            )
        )
        if done is not None:
            reply = {"outcome": "ok", "ending": "answered"} | reply
            if reply["ending"] == "answered":
                reply.setdefault("http", {"ok": 200, "fail": 409, "info": 500}[reply["outcome"]])
            run.history.append(Done(id=number, done_ns=ns(done), **run.names(named), **reply))
        return number
