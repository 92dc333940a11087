"""How is a sound run spoilt, so that just one premise of its verdict is broken?"""

from collections.abc import Callable
from typing import Any

import msgspec

from harness.checks import Premise
from tests.histories.builder import Run, ns

Sabotage = Callable[[Run], object]


def sound() -> Run:
    """A run that every premise holds for: three orders, a replayed key, one fault, one restart, clocks read twice."""
    run = Run()
    owners = [
        run.paid_order(f"A{number}", at=1.0 + number, method=method)
        for number, method in enumerate(("wechat", "alipay", "card"))
    ]
    owners[1].does("trespass", 4.5, 4.6, order="A0", tried="create", key=1, outcome="fail", http=422)
    run.fault("silence", "network", "wechat", 5.0, 8.0)
    run.conduct = msgspec.structs.replace(run.conduct, planned=3, started=3)
    run.scenario = msgspec.structs.replace(run.scenario, claims={"no_double_charge": 1})
    for at in (0.0, 59.0):
        run.clocks += [
            {"source": source, "at_ns": ns(at), "offset_ns": 200_000, "error_ns": 600_000}
            for source in ("books", "wechat", "alipay", "card")
        ]
    process(run, -2.0, "started", 100)
    process(run, -1.0, "ready", 100)
    process(run, 6.0, "killed", 100)
    process(run, 6.5, "started", 101)
    process(run, 7.0, "ready", 101)
    process(run, 59.0, "answered", 101)
    return run


def process(
    run: Run, at: float, event: str, pid: int, *, build: str | None = "fixed", start: int | None = None
) -> None:
    start_time = 1000 + pid if start is None else start
    row = {"service": "api", "event": event, "pid": pid, "start_time": start_time, "at_ns": ns(at), "build": build}
    run.processes.append(row)


def conduct(**fields: Any) -> Sabotage:
    def sabotage(run: Run) -> None:
        run.conduct = msgspec.structs.replace(run.conduct, **fields)

    return sabotage


def absent(name: str) -> Sabotage:
    return lambda run: run.absent.add(name)


def without_step(event: str) -> Sabotage:
    def sabotage(run: Run) -> None:
        run.faults = [row for row in run.faults if row["event"] != event]

    return sabotage


def step(event: str, status: str) -> Sabotage:
    """One step of the fault ends otherwise, as the driver says it: a sentence beside the word."""

    def sabotage(run: Run) -> None:
        run.faults = [
            row | {"status": status, "detail": "toxic is gone"} if row["event"] == event else row for row in run.faults
        ]

    return sabotage


def clock(source: str, **fields: int) -> Sabotage:
    def sabotage(run: Run) -> None:
        run.clocks = [row | fields if row["source"] == source else row for row in run.clocks]

    return sabotage


def second_clock_sample(source: str, offset_ns: int) -> Sabotage:
    def sabotage(run: Run) -> None:
        run.clocks.append({"source": source, "at_ns": ns(60.0), "offset_ns": offset_ns, "error_ns": 600_000})

    return sabotage


def no_clock_of(source: str) -> Sabotage:
    def sabotage(run: Run) -> None:
        run.clocks = [row for row in run.clocks if row["source"] != source]

    return sabotage


def two_rows_with_one_id(run: Run) -> None:
    run.history.append(next(row for row in run.history if getattr(row, "op", "") == "create"))


def two_journeys_with_one_user(run: Run) -> None:
    run.journey(4.0)
    run.history[-1].user = run.history[0].user  # type: ignore[union-attr]
    conduct(planned=4, started=4)(run)


def one_key_for_two_operations(run: Run) -> None:
    journey = run.journey(4.0)
    journey.create(4.0, 4.1, "B", key=1)
    conduct(planned=4, started=4)(run)


def no_footer(run: Run) -> None:
    run.footer = False


def journey_not_in_history(run: Run) -> None:
    conduct(planned=4, started=4)(run)


def gap_in_the_ledger(run: Run) -> None:
    run.ledger("wechat").add(2.0, "notice", "A0-1")
    run.ledger("wechat").add(2.1, "notice", "A0-1")
    del run.ledger("wechat").rows[1]


def releases_missing(run: Run) -> None:
    run.dispatches()
    run.absent.add("releases.dispatch")


def gap_in_the_releases(run: Run) -> None:
    run.dispatches()
    for order in ("A", "B", "C"):
        run.release(3.0, order)
    del run.releases[1]
    run.conduct = msgspec.structs.replace(run.conduct, ledger_last_seq={"dispatch": 3})


def ledger_cut_off(run: Run) -> None:
    run.conduct = msgspec.structs.replace(run.conduct, ledger_last_seq={"card": 9})


def nobody_answered(run: Run) -> None:
    run.processes = [row for row in run.processes if row["event"] not in {"ready", "answered"}]


def old_process_answers(run: Run) -> None:
    """The killed process's child kept the port: the pid that answers is not the one that was started."""
    process(run, 59.5, "answered", 100)


def pid_reused(run: Run) -> None:
    process(run, 59.5, "answered", 101, start=9_999)


def another_build_answers(run: Run) -> None:
    process(run, 59.5, "answered", 101, build="old")


def never_asked_after_the_restart(run: Run) -> None:
    process(run, 59.5, "started", 102)


SABOTAGE: tuple[tuple[Premise, str, Sabotage, str], ...] = (
    (Premise.IDS_UNIQUE, "two rows with one id", two_rows_with_one_id, "2 rows inv carry the id 2"),
    (Premise.IDS_UNIQUE, "two journeys with one user", two_journeys_with_one_user, "2 journeys share the user user-1"),
    (Premise.IDS_UNIQUE, "one key for two operations", one_key_for_two_operations, "key 1 belongs to more than one"),
    (Premise.ROWS_COUNTED, "no history", absent("history"), "there is no history"),
    (Premise.ROWS_COUNTED, "no footer", no_footer, "has no footer"),
    (
        Premise.ARRIVALS_COUNTED,
        "one arrival unaccounted for",
        conduct(planned=4),
        "4 planned, but 3 started and 0",
    ),
    (
        Premise.ARRIVALS_COUNTED,
        "a journey without row",
        journey_not_in_history,
        "4 journeys started, but the history holds 3",
    ),
    (Premise.LEDGERS_WHOLE, "ledger missing", absent("ledger.card"), "card: its ledger is missing"),
    (Premise.LEDGERS_WHOLE, "gap in seq", gap_in_the_ledger, "wechat: its ledger lacks 1 of its seq"),
    (Premise.LEDGERS_WHOLE, "end cut off", ledger_cut_off, "card: its ledger ends before its last seq"),
    (Premise.RELEASES_WHOLE, "missing", releases_missing, "dispatch: its ledger is missing"),
    (Premise.RELEASES_WHOLE, "gap in seq", gap_in_the_releases, "dispatch: its ledger lacks 1 of its seq"),
    (Premise.BOOKS_WHOLE, "book missing", absent("books.payments"), "the book of payments was not read"),
    (Premise.BOOKS_WHOLE, "not known when", conduct(books_read_ns=None), "it is not known when the books were read"),
    (Premise.BOOKS_WHOLE, "cut at a line's end", conduct(rows={"books.orders": 4}), "the book of orders was not read"),
    (Premise.FAULTS_CONFIRMED, "no record", absent("faults"), "there is no record of what the faults did"),
    *(
        (Premise.FAULTS_CONFIRMED, f"{event} missing", without_step(event), f"silence at wechat): {event} did not take")
        for event in ("injected", "read_back", "effect_seen", "lifted", "lift_read_back", "effect_gone")
    ),
    *(
        (
            Premise.FAULTS_CONFIRMED,
            f"{event} inconclusive",
            step(event, "inconclusive"),
            f"{event} is inconclusive: toxic",
        )
        for event in ("injected", "read_back", "effect_seen", "lifted", "lift_read_back", "effect_gone")
    ),
    (
        Premise.FAULTS_CONFIRMED,
        "removed by hand in mid-window",
        step("watched", "mismatch"),
        "watched is a mismatch: toxic is gone",
    ),
    (Premise.FAULTS_CONFIRMED, "on the wrong edge", step("read_back", "mismatch"), "read_back is a mismatch"),
    (Premise.FAULTS_CONFIRMED, "in the wrong direction", step("effect_seen", "mismatch"), "effect_seen is a mismatch"),
    (Premise.CLOCKS_BOUNDED, "no samples", absent("clocks"), "no clock was sampled"),
    (Premise.CLOCKS_BOUNDED, "no sample of the books", no_clock_of("books"), "the clock of books was not sampled"),
    (Premise.CLOCKS_BOUNDED, "uncertain", clock("books", error_ns=150_000_000), "books is uncertain by 150.0 ms"),
    (Premise.CLOCKS_BOUNDED, "moved", second_clock_sample("books", 900_000_000), "the clock of books moved by"),
    (Premise.CLOCKS_BOUNDED, "another host", clock("card", offset_ns=-(10**12)), "card stamps by another clock"),
    (Premise.SAME_BUILD, "no record", absent("processes"), "it was not recorded which processes"),
    (Premise.SAME_BUILD, "nobody answered", nobody_answered, "api was started and never answered since"),
    (Premise.SAME_BUILD, "the old process answers", old_process_answers, "answered by pid 100, not by pid 101"),
    (Premise.SAME_BUILD, "pid reused", pid_reused, "pid 101, but not by the process that was started"),
    (Premise.SAME_BUILD, "another build answers", another_build_answers, "answered as build old, fixed was started"),
    (Premise.SAME_BUILD, "not asked since the restart", never_asked_after_the_restart, "never answered since"),
    (Premise.QUIESCENT, "still moving", conduct(quiescent_ns=None), "things still moved"),
    (Premise.OWNERS_ASKED, "no last reads", absent("reads"), "customers' last reads are missing"),
    (Premise.OWNERS_ASKED, "no lists", absent("lists"), "customers' lists of their orders are missing"),
    (Premise.OWNERS_ASKED, "reads cut", conduct(rows={"reads": 4}), "customers' last reads are missing"),
    (Premise.OWNERS_ASKED, "lists cut", conduct(rows={"lists": 4}), "customers' lists of their orders are missing"),
    (Premise.CONDUCT_TOLD, "no account", absent("conduct"), "the conductor did not write how the run went"),
    (Premise.CONDUCT_TOLD, "a problem", conduct(problems=("card did not answer",)), "card did not answer"),
    (Premise.GENERATOR_HEALTHY, "late", conduct(lateness_p99_ms=251.0), "began 251 ms late or more, limit 250 ms"),
    (Premise.GENERATOR_HEALTHY, "no CPU to spare", conduct(generator_cpu_share=0.9), "90% of a core, limit 85%"),
    (Premise.GENERATOR_HEALTHY, "missed", conduct(planned=4, missed=1), "1 of 4 arrivals were missed, limit 1%"),
    (Premise.GENERATOR_HEALTHY, "not known", absent("conduct"), "is not known"),
)
