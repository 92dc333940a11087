"""How does a provider misbehave, and how is it known that it does? (the simulator's control API)

What a proxy cannot know, a provider can: which operation a request is, whether
it took effect, which notice belongs to which order. A fault is set by POST
/control/faults, read back by GET, and its effect is the provider's own count of
how often it struck (`hits`). Where nothing matched while it stood, the effect is
inconclusive: such a run has shown nothing.

Read back means: this fault is listed with these settings, and no fault that this
run did not set is listed beside it.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from harness.errors import FaultError
from harness.faults.probe import ANSWER_LIMIT_S, Prober, Seen
from harness.faults.proof import Proof, confirmed, inconclusive, mismatch
from harness.faults.surroundings import ProviderControl, Surroundings
from harness.operation import Method
from harness.scenario import Driver, Faults, FaultSpec, Setting

GONE_LIMIT_S: Final = 3.0
"""Within this a provider must answer after its fault was lifted."""


def SlowAnswers(  # scenario files read it as a thing
    *providers: str, by_ms: int, after_effect: bool = True, ops: str = "", every_nth: int = 1
) -> Faults:
    """Every nth answer comes `by_ms` late; the effect before the pause, or (after_effect=False) behind it.

    `ops` names operations (charge, query, close, refund, ...) with commas between; empty means all.
    """
    settings = _when(after_effect) | {"by_ms": by_ms} | _select(ops=ops, every_nth=every_nth)
    return _everywhere("slow_answers", providers, settings)


def LoseAnswers(  # scenario files read it as a thing
    *providers: str, after_effect: bool = True, ops: str = "", every_nth: int = 1
) -> Faults:
    """Every nth request is never answered: after it took effect, or (after_effect=False) instead of it."""
    return _everywhere("lose_answers", providers, _when(after_effect) | _select(ops=ops, every_nth=every_nth))


def ErrorAnswers(  # scenario files read it as a thing
    *providers: str, status: int = 500, after_effect: bool = False, ops: str = "", every_nth: int = 1
) -> Faults:
    """Every nth request is answered that the provider is in trouble: instead of its effect, or behind it."""
    settings = _when(after_effect) | {"status": status} | _select(ops=ops, every_nth=every_nth)
    return _everywhere("error_answers", providers, settings)


def RefuseSchema(*providers: str, version: int, merchants: str) -> Faults:  # scenario files read it as a thing
    """Charges that speak this schema version are refused for these merchants, named with commas between."""
    return _everywhere("refuse_schema", providers, {"version": version, "merchants": merchants})


def LateCapture(  # scenario files read it as a thing
    *providers: str, by_ms: int, despite_close: bool = False, every_nth: int = 1
) -> Faults:
    """A charge is accepted and captured `by_ms` later, even (despite_close) if it was closed meanwhile."""
    settings = {"by_ms": by_ms, "despite_close": despite_close} | _select(every_nth=every_nth)
    return _everywhere("late_capture", providers, settings)


def LoseNotices(  # scenario files read it as a thing
    *providers: str, every_nth: int = 1, of: str = "capture"
) -> Faults:
    """Every nth notice of a capture, a refund, or both is lost with all its repeats."""
    return _everywhere("lose_notices", providers, _select(of=of, every_nth=every_nth))


def LateNotices(  # scenario files read it as a thing
    *providers: str, by_ms: int, of: str = "both", every_nth: int = 1
) -> Faults:
    """Notices set out `by_ms` late."""
    return _everywhere("late_notices", providers, {"by_ms": by_ms} | _select(of=of, every_nth=every_nth))


def RepeatNotices(  # scenario files read it as a thing
    *providers: str, times: int, reorder: bool = False, of: str = "both"
) -> Faults:
    """Each notice is delivered `times` times although acknowledged; `reorder` lets them overtake one another."""
    return _everywhere("repeat_notices", providers, {"times": times, "reorder": reorder} | _select(of=of))


def PlantInBill(*providers: str, nth: int = 1) -> Faults:  # scenario files read it as a thing
    """The nth capture from then on is left out of the bill, and one that never was stands there; both stay so."""
    return _everywhere("plant_in_bill", providers, _select(every_nth=nth))


def ForgeNotices(*providers: str, every_nth: int = 1) -> Faults:  # scenario files read it as a thing
    """A charge is never captured, and notices say that it was: one wrongly signed, one over another amount."""
    return _everywhere("forge_notices", providers, _select(every_nth=every_nth))


def _everywhere(kind: str, providers: tuple[str, ...], settings: Mapping[str, Setting]) -> Faults:
    """One fault a provider; "all" means each method of payment."""
    places = tuple(Method) if providers == ("all",) else providers
    return Faults(FaultSpec(kind=kind, driver=Driver.PROVIDER, where=str(place), settings=settings) for place in places)


def _when(after_effect: bool) -> dict[str, Setting]:
    return {"when": "after" if after_effect else "before"}


def _select(*, every_nth: int = 1, ops: str = "", of: str = "") -> dict[str, Setting]:
    """What the fault strikes; what is not said is left out, and everything matches."""
    selected: dict[str, Setting] = {"nth": every_nth} if every_nth > 1 else {}
    return selected | ({"op": ops} if ops else {}) | ({"of": of} if of else {})


_AT_THE_PROVIDER: Final = {
    "slow_answers": "slow_answer",
    "lose_answers": "lost_answer",
    "error_answers": "error_answer",
    "refuse_schema": "refuse_schema",
    "late_capture": "late_capture",
    "lose_notices": "lose_notices",
    "late_notices": "late_notices",
    "repeat_notices": "repeat_notices",
    "forge_notices": "forge_notices",
    "plant_in_bill": "plant_in_bill",
}
"""A scenario's word -> the control API's."""


@dataclass(kw_only=True, slots=True)
class Providers:
    """Which faults this run has set at which provider, shared by all of its provider faults."""

    around: Surroundings
    prober: Prober
    expected: dict[str, set[str]] = field(default_factory=dict)
    """Provider -> ids of faults that must stand there at this instant."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held while a fault is set or removed and while faults are listed, so that no reading falls between."""

    def strike(self, number: int, spec: FaultSpec) -> "ProviderInjection":
        """The fault `number`, ready to be prepared."""
        if spec.where not in self.around.providers:
            known = ", ".join(sorted(self.around.providers)) or "none"
            raise FaultError(
                f"fault {number} strikes the provider {spec.where!r}; with a control API there are: {known}"
            )
        if spec.kind not in _AT_THE_PROVIDER:
            raise FaultError(f"provider fault {spec.kind!r} is unknown; `harness list faults` shows those there are")
        body: dict[str, Any] = dict(spec.settings) | {
            "id": f"{self.around.run_id}.{number}",
            "kind": _AT_THE_PROVIDER[spec.kind],
        }
        for name in {"op", "merchants"} & body.keys():
            body[name] = str(body[name]).split(",")
        return ProviderInjection(
            shared=self, name=spec.where, provider=self.around.providers[spec.where], id=body["id"], body=body
        )

    def call(
        self, provider: ProviderControl, method: str, path: str, body: dict[str, Any] | None = None
    ) -> httpx.Response:
        """One call of the control API; raises FaultError unless it is answered (404 counts as an answer)."""
        url = f"{provider.url}/control{path}"
        try:
            reply = self.prober.client.request(method, url, json=body, headers={"X-Control-Key": provider.key})
        except httpx.HTTPError as exc:
            raise FaultError(f"{method} {url} was not answered: {exc!r}") from exc
        if reply.is_error and reply.status_code != httpx.codes.NOT_FOUND:
            raise FaultError(f"{method} {url} was answered {reply.status_code}: {reply.text[:200]}")
        return reply


@dataclass(kw_only=True, slots=True)
class ProviderInjection:
    """One fault at one provider, from its setting to its end."""

    shared: Providers
    name: str
    provider: ProviderControl
    id: str
    body: dict[str, Any]
    lasts_s: float | None = None
    effect_costs_s: float = 0.0
    _undo: int | None = None

    def prepare(self) -> None:
        """Tell the warden how to remove the fault, before there is one."""
        url = f"{self.provider.url}/control/faults/{self.id}"
        self._undo = self.shared.around.warden.will_delete(url, {"X-Control-Key": self.provider.key})

    def forget(self) -> None:
        """It was seen to be gone, or was never set; the warden need not know."""
        if self._undo is not None:
            self.shared.around.warden.done(self._undo)
            self._undo = None

    def inject(self) -> Proof:
        with self.shared.lock:
            self.shared.expected.setdefault(self.name, set()).add(self.id)
            self.shared.call(self.provider, "POST", "/faults", self.body)
        return confirmed(f"set at {self.name}: {self._tell()}")

    def read_back(self) -> Proof:
        listed, foreign = self._survey()
        found = listed.get(self.id)
        if found is None:
            return mismatch("; ".join((f"{self.id} is not listed at {self.name}", *foreign)))
        other = [
            f"{key} is {found.get(key)!r}, not {value!r}" for key, value in self.body.items() if found.get(key) != value
        ]
        if other or foreign:
            return mismatch("; ".join((*other, *foreign)))
        return confirmed(f"listed at {self.name}: {self._tell()}; struck {found.get('hits', 0)} times")

    watch = read_back

    def effect(self) -> Proof:
        """Whether it has struck by now."""
        found = self._survey()[0].get(self.id, {})
        hits = int(found.get("hits", 0))
        if hits:
            return confirmed(f"struck at {self.name} {hits} times by its own count")
        return inconclusive(f"nothing at {self.name} has matched it yet")

    def lift(self) -> Proof:
        with self.shared.lock:
            reply = self.shared.call(self.provider, "DELETE", f"/faults/{self.id}")
            self.shared.expected.get(self.name, set()).discard(self.id)
        if reply.is_error:
            return mismatch(f"{self.id} did not stand at {self.name} any more when it was to be removed")
        return confirmed(f"removed at {self.name}: {self.id}")

    def lift_read_back(self) -> Proof:
        listed, foreign = self._survey()
        if self.id in listed:
            return mismatch("; ".join((f"{self.id} is still listed at {self.name}", *foreign)))
        self.forget()
        return mismatch("; ".join(foreign)) if foreign else confirmed(f"not listed at {self.name} any more")

    def effect_gone(self) -> Proof:
        """It is not listed, so nothing new can match; what it delayed may still come. The provider answers."""
        until = time.monotonic() + GONE_LIMIT_S
        while self.shared.prober.ask(f"{self.provider.url}/healthz", ANSWER_LIMIT_S) is not Seen.WHOLE:
            if time.monotonic() >= until:
                return inconclusive(f"{self.name} does not answer")
            time.sleep(0.1)
        return confirmed(f"nothing new can match it, and {self.name} answers")

    def _survey(self) -> tuple[dict[str, dict[str, Any]], tuple[str, ...]]:
        """Faults listed at the provider by id, and one sentence for each that this run did not set."""
        with self.shared.lock:
            rows = self.shared.call(self.provider, "GET", "/faults").json()
            ours = set(self.shared.expected.get(self.name, set()))
        listed = {str(row["id"]): dict(row) for row in rows}
        foreign = sorted(set(listed) - ours - {self.id})
        return listed, tuple(f"a foreign fault stands at {self.name}: {listed[id_]}" for id_ in foreign)

    def _tell(self) -> str:
        settings = ", ".join(f"{key} {value}" for key, value in self.body.items() if key not in {"id", "kind"})
        return f"{self.id} ({self.body['kind']}{', ' if settings else ''}{settings})"
