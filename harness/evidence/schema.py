"""Which tables hold what was read from a run's folder, column by column?

These mirror the files row by row; what is derived from them stands in `shared`.
Money is in minor units. `_ns` is CLOCK_MONOTONIC of the conductor's host: stamps
of other clocks are brought to it by the run's anchor and the sampled offset of
their source. `_utc_ms` is kept as it was told. A file that is missing leaves its
table empty and its name in `Evidence.missing`.

In SQL an order's id is `order_id`, a user `user_id`: `order` and `user` are reserved.
"""

HISTORY_FILES = """
CREATE TABLE history_files (             -- one row a worker's file, history/<worker>.jsonl
    worker BIGINT,                       -- from the header; also the upper bits of each id
    path VARCHAR,                        -- relative to the scenario's folder
    schema_version BIGINT,
    footer BOOLEAN,                      -- false: the file ends without one, so it was cut short
    torn BOOLEAN,                        -- its last line was cut off and left out
    cut_short BOOLEAN,                   -- as the footer says; NULL without one
    invocations_said BIGINT,             -- rows, by the footer; NULL without one
    completions_said BIGINT,
    invocations BIGINT,                  -- rows, as counted
    completions BIGINT,
    repeated_ids BIGINT                  -- ids that more than one invocation or completion carries
)
"""

HISTORY_ROWS = """
CREATE TABLE history_rows (              -- every line but header and footer; fields of recorder.rows.Inv and Done
    worker BIGINT, k VARCHAR, id BIGINT, journey BIGINT, intent BIGINT, op VARCHAR, phase VARCHAR,
    scheduled_ns BIGINT, sent_ns BIGINT, parent BIGINT, user_id VARCHAR, order_no BIGINT, order_id VARCHAR,
    method VARCHAR, key_no BIGINT, attempt BIGINT, amount_minor BIGINT, currency VARCHAR, line VARCHAR,
    leaves_early BOOLEAN, outcome VARCHAR, done_ns BIGINT, ending VARCHAR, http BIGINT, result_id VARCHAR,
    code VARCHAR, state VARCHAR, paid_minor BIGINT, refunded_minor BIGINT, retry_after_s DOUBLE,
    pay_by_utc_ms BIGINT, listed BIGINT, tried VARCHAR, build VARCHAR, names VARCHAR, offers VARCHAR[], leaks VARCHAR[],
    listed_orders VARCHAR[], listed_states VARCHAR[], listed_amounts BIGINT[], listed_paid BIGINT[],
    listed_refunded BIGINT[], refunds_done VARCHAR[]
)
"""

FAULT_EVENTS = """
CREATE TABLE fault_events (              -- faults.jsonl
    nth BIGINT,                          -- 1, 2, ... by instant
    number BIGINT,                       -- of the fault in scenario.json
    event VARCHAR,                       -- injected, read_back, effect_seen, watched, cue,
                                         -- moved, lifted, lift_read_back, effect_gone
    status VARCHAR,                      -- confirmed, mismatch, inconclusive
    at_ns BIGINT,
    detail VARCHAR,                      -- JSON
    build VARCHAR, share DOUBLE          -- of a move: who has this share of the users from then on
)
"""

PLANNED_FAULTS = """
CREATE TABLE planned_faults (            -- scenario.json, faults
    number BIGINT, kind VARCHAR, driver VARCHAR, "where" VARCHAR,
    settings VARCHAR,                    -- JSON
    start_ns BIGINT, end_ns BIGINT,      -- as planned; NULL where not timed, or where the load never began
    cue VARCHAR, "describe" VARCHAR,
    standing BOOLEAN                     -- a condition of the scenario, on from before preflight to after the drain
)
"""

LEDGER = """
CREATE TABLE ledger (                    -- evidence/ledger.<provider>.jsonl, the whole second reading
    provider VARCHAR,                    -- name of the source; the same word as `method`
    seq BIGINT, kind VARCHAR,
    at_ns BIGINT,                        -- of a source with a clock of its own: brought to ours
    utc_ms DOUBLE,
    number VARCHAR,                      -- out_trade_no or payment intent
    order_id VARCHAR, run VARCHAR,       -- what the merchant attached; NULL where nothing
    refund_number VARCHAR, amount_minor BIGINT, currency VARCHAR, op VARCHAR, http BIGINT,
    fault VARCHAR, note VARCHAR
)
"""

BOOKS_ORDERS = """
CREATE TABLE books_orders (              -- evidence/books.orders.jsonl, targets.protocol.BookOrder
    order_id VARCHAR, user_id VARCHAR, state VARCHAR, raw_state VARCHAR, amount_minor BIGINT, currency VARCHAR,
    paid_minor BIGINT, refunded_minor BIGINT, pay_by_ns BIGINT, pay_by_utc_ms BIGINT, created_ns BIGINT,
    created_utc_ms BIGINT
)
"""

BOOKS_PAYMENTS = """
CREATE TABLE books_payments (            -- evidence/books.payments.jsonl, BookPayment
    payment_id VARCHAR, order_id VARCHAR, provider VARCHAR, number VARCHAR, state VARCHAR, raw_state VARCHAR,
    amount_minor BIGINT, captured_minor BIGINT
)
"""

BOOKS_REFUNDS = """
CREATE TABLE books_refunds (             -- evidence/books.refunds.jsonl, BookRefund
    refund_id VARCHAR, order_id VARCHAR, payment_id VARCHAR, provider VARCHAR, number VARCHAR, state VARCHAR,
    raw_state VARCHAR, amount_minor BIGINT,
    requested BOOLEAN,                   -- a customer asked for it
    compensation BOOLEAN                 -- goodwill sent down the refund channel
)
"""

BOOKS_TRANSITIONS = """
CREATE TABLE books_transitions (         -- evidence/books.transitions.jsonl, BookTransition
    seq BIGINT, kind VARCHAR, subject VARCHAR, order_id VARCHAR, from_state VARCHAR, to_state VARCHAR,
    at_ns BIGINT, at_utc_ms BIGINT,
    build VARCHAR                        -- that took the step; NULL where the target does not say
)
"""

BOOKS_VOUCHERS = """
CREATE TABLE books_vouchers (            -- evidence/books.vouchers.jsonl, BookVoucher
    voucher_id VARCHAR, order_id VARCHAR, amount_minor BIGINT, currency VARCHAR, at_ns BIGINT, at_utc_ms BIGINT
)
"""

BOOKS_AFFECTED = """
CREATE TABLE books_affected (            -- evidence/books.affected.jsonl, BookAffected
    order_id VARCHAR, reason VARCHAR, at_ns BIGINT, at_utc_ms BIGINT
)
"""

BOOKS_DISCREPANCIES = """
CREATE TABLE books_discrepancies (       -- evidence/books.discrepancies.jsonl, BookDiscrepancy
    provider VARCHAR, number VARCHAR, order_id VARCHAR, kind VARCHAR, amount_minor BIGINT, at_ns BIGINT,
    at_utc_ms BIGINT
)
"""

RELEASES = """
CREATE TABLE releases (                  -- evidence/releases.<source>.jsonl: orders released, by where they arrived
    source VARCHAR, seq BIGINT, kind VARCHAR, at_ns BIGINT, utc_ms DOUBLE, order_id VARCHAR, run VARCHAR, line VARCHAR,
    note VARCHAR
)
"""

STATUS_SAMPLES = """
CREATE TABLE status_samples (            -- evidence/status.jsonl: the status page, looked at all along
    sent_ns BIGINT, done_ns BIGINT, outcome VARCHAR, ending VARCHAR, http BIGINT,
    degraded BOOLEAN,                    -- NULL where it could not be read
    methods VARCHAR[],                   -- that it names as not working
    since_utc_ms BIGINT, leaks VARCHAR[]
)
"""

LOG_LEAKS = """
CREATE TABLE log_leaks (                 -- evidence/log_leaks.jsonl: what logs of the target hold and must not
    source VARCHAR, line BIGINT, kind VARCHAR
)
"""

READS = """
CREATE TABLE reads (                     -- evidence/reads.jsonl: each order read once by its owner, after the drain
    order_id VARCHAR, user_id VARCHAR, outcome VARCHAR, ending VARCHAR, http BIGINT, code VARCHAR, state VARCHAR,
    amount_minor BIGINT, paid_minor BIGINT, refunded_minor BIGINT, sent_ns BIGINT, done_ns BIGINT,
    tries BIGINT,                        -- requests it took; outcome is that of the last
    pay_by_utc_ms BIGINT,                -- NULL: not told, or not kept
    refunds_done VARCHAR[]               -- refunds that were shown as done
)
"""

REREADS = """
CREATE TABLE rereads (                   -- evidence/rereads.jsonl: orders read for their owners while the run went on
    order_id VARCHAR, user_id VARCHAR, outcome VARCHAR, ending VARCHAR, http BIGINT, code VARCHAR,
    sent_ns BIGINT, done_ns BIGINT
)
"""

LISTS = """
CREATE TABLE lists (                     -- evidence/lists.jsonl: each user's own orders, after the drain
    user_id VARCHAR, journey BIGINT, outcome VARCHAR,
    complete BOOLEAN,                    -- the last page was reached; else absence means nothing
    orders VARCHAR[], sent_ns BIGINT, done_ns BIGINT
)
"""

CLOCKS = """
CREATE TABLE clocks (                    -- evidence/clocks.jsonl
    source VARCHAR, at_ns BIGINT,
    offset_ns BIGINT,                    -- the source's clock minus ours
    error_ns BIGINT                      -- half the round trip
)
"""

PROCESSES = """
CREATE TABLE processes (                 -- evidence/processes.jsonl
    service VARCHAR,
    event VARCHAR,                       -- started, ready, killed, paused, resumed, stopped, answered
    pid BIGINT,
    start_time DOUBLE,                   -- of the pid, so that a reused pid is not taken for it
    at_ns BIGINT, build VARCHAR
)
"""

DECLARED_LEDGERS = """
CREATE TABLE declared_ledgers (          -- scenario.json, sources of kind "ledger", and conduct.json's word on each
    provider VARCHAR, present BOOLEAN, complete BOOLEAN, attribution VARCHAR, clock_error_ns BIGINT,
    watermark_seq BIGINT, first_reading_seq BIGINT, second_reading_seq BIGINT
)
"""

RAW_TABLES = (
    HISTORY_FILES,
    HISTORY_ROWS,
    FAULT_EVENTS,
    PLANNED_FAULTS,
    LEDGER,
    BOOKS_ORDERS,
    BOOKS_PAYMENTS,
    BOOKS_REFUNDS,
    BOOKS_TRANSITIONS,
    BOOKS_VOUCHERS,
    BOOKS_AFFECTED,
    BOOKS_DISCREPANCIES,
    RELEASES,
    STATUS_SAMPLES,
    LOG_LEAKS,
    READS,
    REREADS,
    LISTS,
    CLOCKS,
    PROCESSES,
)
