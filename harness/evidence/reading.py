"""How do the files of a scenario's folder get into tables?

JSON Lines are read by DuckDB with every column's type said. A torn last line
is left out by reading a copy; damage anywhere else raises `HistoryError`. It
does not judge what it reads.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb
import msgspec

from harness.errors import HistoryError
from harness.evidence.database import Database
from harness.recorder.rows import SCHEMA_VERSION, Footer, Header

INSERT_HISTORY = """
INSERT INTO history_rows
SELECT ?, k, id, journey, intent, op, phase, scheduled_ns, sent_ns, parent, "user", order_no, "order", method, key_no,
       attempt, amount_minor, currency, line, coalesce(leaves_early, false), outcome, done_ns, ending, http, result_id,
       code, state, paid_minor, refunded_minor, retry_after_s, pay_by_utc_ms, listed, tried, build, names,
       coalesce(offers, []), coalesce(leaks, []), listed_orders, listed_states, listed_amounts, listed_paid,
       listed_refunded, refunds_done
FROM read_json(?, format = 'newline_delimited', columns = {
    k: 'ENUM(''head'', ''inv'', ''done'', ''foot'')', id: 'BIGINT', journey: 'BIGINT', intent: 'BIGINT',
    op: 'ENUM(''journey'', ''create'', ''pay'', ''read'', ''list'', ''refund'', ''status'',
        ''trespass'', ''request'')',
    phase: 'ENUM(''warmup'', ''steady'', ''fault'', ''recovery'')',
    scheduled_ns: 'BIGINT', sent_ns: 'BIGINT', parent: 'BIGINT', "user": 'VARCHAR', order_no: 'BIGINT',
    "order": 'VARCHAR', method: 'VARCHAR', key_no: 'BIGINT', attempt: 'BIGINT', amount_minor: 'BIGINT',
    currency: 'VARCHAR', line: 'VARCHAR', leaves_early: 'BOOLEAN', outcome: 'ENUM(''ok'', ''fail'', ''info'')',
    done_ns: 'BIGINT', ending: 'VARCHAR', http: 'BIGINT', result_id: 'VARCHAR', code: 'VARCHAR',
    state: 'ENUM(''open'', ''paying'', ''paid'', ''refunded'', ''closed'')', paid_minor: 'BIGINT',
    refunded_minor: 'BIGINT', retry_after_s: 'DOUBLE', pay_by_utc_ms: 'BIGINT', listed: 'BIGINT', tried: 'VARCHAR',
    build: 'VARCHAR', names: 'VARCHAR', offers: 'VARCHAR[]', leaks: 'VARCHAR[]',
    listed_orders: 'VARCHAR[]', listed_states: 'VARCHAR[]', listed_amounts: 'BIGINT[]', listed_paid: 'BIGINT[]',
    listed_refunded: 'BIGINT[]', refunds_done: 'VARCHAR[]'})
WHERE k IN ('inv', 'done') OR k IS NULL
"""

COUNT_HISTORY = """
SELECT count(*) FILTER (k = 'inv'), count(*) FILTER (k = 'done'),
       count(*) - count(DISTINCT (k, id)),
       count(*) FILTER (k IS NULL OR id IS NULL OR (k = 'inv' AND (journey IS NULL OR op IS NULL OR sent_ns IS NULL))
                        OR (k = 'done' AND (outcome IS NULL OR done_ns IS NULL)))
FROM history_rows WHERE worker = ?
"""

INSERT_HISTORY_FILE = "INSERT INTO history_files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

INSERT_FAULT_EVENTS = """
INSERT INTO fault_events
SELECT row_number() OVER (ORDER BY at_ns, number, event, status, detail), number, event, status, at_ns, detail,
       build, share
FROM read_json(?, format = 'newline_delimited', columns = {number: 'BIGINT', event: 'VARCHAR',
    status: 'ENUM(''confirmed'', ''mismatch'', ''inconclusive'')', at_ns: 'BIGINT', detail: 'JSON',
    build: 'VARCHAR', share: 'DOUBLE'})
"""

INSERT_LEDGER = """
INSERT INTO ledger
SELECT ?, seq, kind, at_ns, utc_ms, number, "order", run, refund_number, amount_minor, currency, op, http, fault, note
FROM read_json(?, format = 'newline_delimited', columns = {seq: 'BIGINT', kind: 'VARCHAR', at_ns: 'BIGINT',
    utc_ms: 'DOUBLE', number: 'VARCHAR', "order": 'VARCHAR', run: 'VARCHAR', refund_number: 'VARCHAR',
    amount_minor: 'BIGINT', currency: 'VARCHAR', op: 'VARCHAR', http: 'BIGINT', fault: 'VARCHAR', note: 'VARCHAR'})
"""

INSERT_BOOKS_ORDERS = """
INSERT INTO books_orders
SELECT "order", "user", state, raw_state, amount_minor, currency, paid_minor, refunded_minor, NULL, pay_by_utc_ms,
       NULL, created_utc_ms
FROM read_json(?, format = 'newline_delimited', columns = {"order": 'VARCHAR', "user": 'VARCHAR',
    state: 'ENUM(''open'', ''paying'', ''paid'', ''refunded'', ''closed'')', raw_state: 'VARCHAR',
    amount_minor: 'BIGINT', currency: 'VARCHAR', paid_minor: 'BIGINT', refunded_minor: 'BIGINT',
    pay_by_utc_ms: 'BIGINT', created_utc_ms: 'BIGINT'})
"""

INSERT_BOOKS_PAYMENTS = """
INSERT INTO books_payments
SELECT payment, "order", provider, number, state, raw_state, amount_minor, captured_minor
FROM read_json(?, format = 'newline_delimited', columns = {payment: 'VARCHAR', "order": 'VARCHAR',
    provider: 'VARCHAR', number: 'VARCHAR', state: 'ENUM(''live'', ''unknown'', ''paid'', ''dead'')',
    raw_state: 'VARCHAR', amount_minor: 'BIGINT', captured_minor: 'BIGINT'})
"""

INSERT_BOOKS_REFUNDS = """
INSERT INTO books_refunds
SELECT refund, "order", payment, provider, number, state, raw_state, amount_minor, requested,
       coalesce(compensation, false)
FROM read_json(?, format = 'newline_delimited', columns = {refund: 'VARCHAR', "order": 'VARCHAR', payment: 'VARCHAR',
    provider: 'VARCHAR', number: 'VARCHAR', state: 'ENUM(''pending'', ''done'', ''failed'')', raw_state: 'VARCHAR',
    amount_minor: 'BIGINT', requested: 'BOOLEAN', compensation: 'BOOLEAN'})
"""

INSERT_BOOKS_TRANSITIONS = """
INSERT INTO books_transitions
SELECT seq, kind, subject, "order", from_state, to_state, NULL, at_utc_ms, build
FROM read_json(?, format = 'newline_delimited', columns = {seq: 'BIGINT', kind: 'VARCHAR', subject: 'VARCHAR',
    "order": 'VARCHAR', from_state: 'VARCHAR', to_state: 'VARCHAR', at_utc_ms: 'BIGINT', build: 'VARCHAR'})
"""

INSERT_BOOKS_VOUCHERS = """
INSERT INTO books_vouchers
SELECT voucher, "order", amount_minor, currency, NULL, at_utc_ms
FROM read_json(?, format = 'newline_delimited', columns = {voucher: 'VARCHAR', "order": 'VARCHAR',
    amount_minor: 'BIGINT', currency: 'VARCHAR', at_utc_ms: 'BIGINT'})
"""

INSERT_BOOKS_AFFECTED = """
INSERT INTO books_affected
SELECT "order", reason, NULL, at_utc_ms
FROM read_json(?, format = 'newline_delimited', columns = {"order": 'VARCHAR', reason: 'VARCHAR',
    at_utc_ms: 'BIGINT'})
"""

INSERT_BOOKS_DISCREPANCIES = """
INSERT INTO books_discrepancies
SELECT provider, number, "order", kind, amount_minor, NULL, at_utc_ms
FROM read_json(?, format = 'newline_delimited', columns = {provider: 'VARCHAR', number: 'VARCHAR', "order": 'VARCHAR',
    kind: 'VARCHAR', amount_minor: 'BIGINT', at_utc_ms: 'BIGINT'})
"""

INSERT_RELEASES = """
INSERT INTO releases
SELECT ?, seq, kind, at_ns, utc_ms, "order", run, line, note
FROM read_json(?, format = 'newline_delimited', columns = {seq: 'BIGINT', kind: 'VARCHAR', at_ns: 'BIGINT',
    utc_ms: 'DOUBLE', "order": 'VARCHAR', run: 'VARCHAR', line: 'VARCHAR', note: 'VARCHAR'})
"""

INSERT_STATUS_SAMPLES = """
INSERT INTO status_samples
SELECT sent_ns, done_ns, outcome, ending, http, degraded, coalesce(methods, []), since_utc_ms, coalesce(leaks, [])
FROM read_json(?, format = 'newline_delimited', columns = {sent_ns: 'BIGINT', done_ns: 'BIGINT',
    outcome: 'ENUM(''ok'', ''fail'', ''info'')', ending: 'VARCHAR', http: 'BIGINT', degraded: 'BOOLEAN',
    methods: 'VARCHAR[]', since_utc_ms: 'BIGINT', leaks: 'VARCHAR[]'})
"""

INSERT_LOG_LEAKS = """
INSERT INTO log_leaks
SELECT source, line, kind
FROM read_json(?, format = 'newline_delimited', columns = {source: 'VARCHAR', line: 'BIGINT', kind: 'VARCHAR'})
"""

INSERT_READS = """
INSERT INTO reads
SELECT "order", "user", outcome, ending, http, code, state, amount_minor, paid_minor, refunded_minor, sent_ns, done_ns,
       tries, pay_by_utc_ms, refunds_done
FROM read_json(?, format = 'newline_delimited', columns = {"order": 'VARCHAR', "user": 'VARCHAR',
    outcome: 'ENUM(''ok'', ''fail'', ''info'')', ending: 'VARCHAR', http: 'BIGINT', code: 'VARCHAR', state: 'VARCHAR',
    amount_minor: 'BIGINT', paid_minor: 'BIGINT', refunded_minor: 'BIGINT', sent_ns: 'BIGINT', done_ns: 'BIGINT',
    tries: 'BIGINT', pay_by_utc_ms: 'BIGINT', refunds_done: 'VARCHAR[]'})
"""

INSERT_REREADS = """
INSERT INTO rereads
SELECT "order", "user", outcome, ending, http, code, sent_ns, done_ns
FROM read_json(?, format = 'newline_delimited', columns = {"order": 'VARCHAR', "user": 'VARCHAR',
    outcome: 'ENUM(''ok'', ''fail'', ''info'')', ending: 'VARCHAR', http: 'BIGINT', code: 'VARCHAR',
    sent_ns: 'BIGINT', done_ns: 'BIGINT'})
"""

INSERT_LISTS = """
INSERT INTO lists
SELECT "user", journey, outcome, coalesce(complete, false), coalesce(orders, []), sent_ns, done_ns
FROM read_json(?, format = 'newline_delimited', columns = {"user": 'VARCHAR', journey: 'BIGINT',
    outcome: 'ENUM(''ok'', ''fail'', ''info'')', complete: 'BOOLEAN', orders: 'VARCHAR[]', sent_ns: 'BIGINT',
    done_ns: 'BIGINT'})
"""

INSERT_CLOCKS = """
INSERT INTO clocks
SELECT source, at_ns, offset_ns, error_ns
FROM read_json(?, format = 'newline_delimited', columns = {source: 'VARCHAR', at_ns: 'BIGINT', offset_ns: 'BIGINT',
    error_ns: 'BIGINT'})
"""

INSERT_PROCESSES = """
INSERT INTO processes
SELECT service, event, pid, start_time, at_ns, build
FROM read_json(?, format = 'newline_delimited', columns = {service: 'VARCHAR', event: 'VARCHAR', pid: 'BIGINT',
    start_time: 'DOUBLE', at_ns: 'BIGINT', build: 'VARCHAR'})
"""


def read_history(database: Database, folder: Path, scratch: Path, notes: list[str]) -> bool:
    """Read `history/*.jsonl` of `folder`, worker by worker; say whether there was any.

    `scratch` takes the copies of torn files; `notes` the sentences about them.
    Raises `HistoryError` where a line is damaged, a header is missing or of another schema.
    """
    paths = sorted((folder / "history").glob("*.jsonl"))
    for path in paths:
        whole, torn = without_torn_tail(path, scratch, notes)
        if whole.stat().st_size == 0:
            notes.append(f"{path.parent.name}/{path.name} holds no whole line")
            continue
        header, footer = _ends(path, whole)
        if footer is None:
            notes.append(f"{path.parent.name}/{path.name} has no footer: it was cut short")
        insert(database, INSERT_HISTORY, path, [header.worker, str(whole)])
        counts = database.execute(COUNT_HISTORY, [header.worker]).fetchone()
        assert counts is not None
        if counts[3]:
            raise HistoryError(f"{path}: {counts[3]} lines lack a field that every row has; the file is damaged")
        said = (None, None, None) if footer is None else (footer.cut_short, footer.invocations, footer.completions)
        row = [header.worker, f"history/{path.name}", header.schema_version, footer is not None, torn, *said]
        database.execute(INSERT_HISTORY_FILE, [*row, *counts[:3]])
    return bool(paths)


def insert(database: Database, statement: str, path: Path, parameters: Sequence[object]) -> None:
    """Run one INSERT ... FROM read_json; a line that is not what it must be raises `HistoryError` naming `path`."""
    try:
        database.execute(statement, list(parameters))
    except duckdb.Error as exc:
        reason = str(exc).splitlines()[0]
        raise HistoryError(f"{path} cannot be read, a line in it is damaged: {reason}") from exc


def without_torn_tail(path: Path, scratch: Path, notes: list[str]) -> tuple[Path, bool]:
    """Return a file whose last line is whole: `path` itself, or a copy in `scratch` cut at the last newline."""
    size = path.stat().st_size
    if size == 0:
        return path, False
    with path.open("rb") as file:
        file.seek(size - 1)
        if file.read(1) == b"\n":
            return path, False
    copy = scratch / f"{path.parent.name}-{path.name}"
    shutil.copyfile(path, copy)
    end = _last_newline(copy) + 1
    with copy.open("r+b") as file:
        file.truncate(end)
    notes.append(f"{path.parent.name}/{path.name} ends in a torn line: {size - end} bytes were left out")
    return copy, True


def _last_newline(path: Path, block: int = 1 << 16) -> int:
    """Offset of the last newline, -1 where there is none; reads backwards, `block` bytes at a time."""
    with path.open("rb") as file:
        start = file.seek(0, 2)
        while start > 0:
            begin = max(0, start - block)
            file.seek(begin)
            found = file.read(start - begin).rfind(b"\n")
            if found >= 0:
                return begin + found
            start = begin
    return -1


def _ends(path: Path, whole: Path) -> tuple[Header, Footer | None]:
    """First and last line of a history; the last only if it is a footer."""
    with whole.open("rb") as file:
        first = file.readline()
        last = first
        size = file.seek(0, 2)
        if size > len(first):
            file.seek(max(0, size - 4096))
            last = file.read().splitlines()[-1]
    try:
        header = msgspec.json.decode(first, type=Header)
    except msgspec.MsgspecError as exc:
        raise HistoryError(f"{path} does not begin with a header: {exc}") from exc
    if header.schema_version != SCHEMA_VERSION or header.clock != "monotonic":
        raise HistoryError(
            f"{path} is of schema {header.schema_version} with clock {header.clock!r}; "
            f"this harness reads schema {SCHEMA_VERSION}, monotonic"
        )
    try:
        return header, msgspec.json.decode(last, type=Footer)
    except msgspec.MsgspecError:
        return header, None
