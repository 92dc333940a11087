"""Which tables do the checks read, and how do they come from the rows of the files?

Built once a run, each when it is first asked for. History names orders by a number that
one worker gave; here every order of any source has one `order_no`, the one by
which all tables join.

    history_rows ─> operations ─> journeys
                        │             │
    books, lists, ledger└─> orders <──┘
                              │
    ledger ─> ledgers, captures, provider_refunds ─> blind_orders
"""

SETTLE_CLOCKS = """
CREATE TABLE source_clocks AS            -- the sample with the least error, by source of evidence
SELECT source, arg_min(offset_ns, (error_ns, at_ns)) AS offset_ns, min(error_ns) AS error_ns
FROM clocks GROUP BY source ORDER BY source
"""

ORDER_NAMES = """
CREATE TABLE order_names AS              -- a worker's number of an order -> the string, from whichever row names both
SELECT worker, order_no, min(order_id) AS order_id, max(order_id) AS other_id
FROM history_rows WHERE order_no IS NOT NULL AND order_id IS NOT NULL
GROUP BY worker, order_no ORDER BY worker, order_no
"""

CLASHING_NAMES = "SELECT worker, order_no, order_id, other_id FROM order_names WHERE order_id <> other_id ORDER BY ALL"

NAMELESS_NUMBERS = """
SELECT DISTINCT worker, order_no FROM history_rows ANTI JOIN order_names USING (worker, order_no)
WHERE history_rows.order_no IS NOT NULL ORDER BY ALL
"""

DONE_WITHOUT_INV = """
SELECT worker, id FROM history_rows AS d WHERE k = 'done'
AND NOT EXISTS (SELECT 1 FROM history_rows AS i WHERE i.k = 'inv' AND i.id = d.id) ORDER BY ALL
"""

OPERATIONS = """
CREATE TABLE operations AS               -- one row an operation: its invocation and, where there is one, its completion
WITH named AS (
    SELECT h.* REPLACE (coalesce(h.order_id, n.order_id) AS order_id)
    FROM history_rows AS h LEFT JOIN order_names AS n USING (worker, order_no)),
inv AS (SELECT * FROM named WHERE k = 'inv'
        QUALIFY row_number() OVER (PARTITION BY id ORDER BY sent_ns, journey, op) = 1),
done AS (SELECT * FROM named WHERE k = 'done'
         QUALIFY row_number() OVER (PARTITION BY id ORDER BY done_ns, outcome) = 1)
SELECT i.worker, i.id, i.journey, i.intent, i.op, i.phase,
       i.parent,                                     -- of a request within an operation: the operation's id
       i.method, i.key_no, i.attempt, i.line, i.currency, i.user_id, i.leaves_early,
       i.scheduled_ns, i.sent_ns, d.done_ns,         -- done_ns NULL: never completed
       coalesce(d.outcome, 'info') AS outcome,
       d.ending, d.http, d.code, d.result_id, d.retry_after_s, d.listed,
       d.refunds_done,                               -- of the order, those that the reply called done
       d.listed_states, d.listed_amounts, d.listed_paid, d.listed_refunded,  -- of those, each; NULL: names only
       d.listed_orders,                              -- of a list: all its orders; NULL: none, or not read to its end
       i.tried,                                      -- of a trespass: read, pay, refund, create (replayed)
       d.build,                                      -- that answered; NULL where the reply does not say
       d.names,                                      -- of a refusal: order or key, the one that was asked about
       coalesce(d.offers, []) AS offers,             -- methods that the reply named as working
       coalesce(d.leaks, []) AS leaks,               -- kinds of what stood in a reply and must not leave
       i.order_id AS asked_order_id,                 -- the order that the request named
       coalesce(d.order_id, i.order_id) AS order_id, -- the order that the reply named, else the request
       i.amount_minor AS asked_minor,                -- what the request asked for
       d.state, d.amount_minor, d.paid_minor, d.refunded_minor,  -- what the reply said
       d.pay_by_utc_ms,
       d.pay_by_utc_ms * 1000000 + $utc_ns AS pay_by_ns
FROM inv AS i LEFT JOIN done AS d USING (id) ORDER BY i.id
"""

JOURNEYS = """
CREATE TABLE journeys AS                 -- one row a journey; each has a user of its own
SELECT journey, min(intent) AS intent,
       min(user_id) AS user_id, any_value(line) AS line, any_value(phase) AS phase,
       min(scheduled_ns) AS scheduled_ns, min(sent_ns) AS sent_ns,
       min(done_ns) AS done_ns,                      -- NULL: cut short, it never had a final word
       min(code) AS final,                           -- harness.operation.JourneyEnd, NULL where cut short
       bool_or(leaves_early) AS leaves_early,
       min(asked_minor) AS asked_minor, min(id) AS id
FROM operations WHERE op = 'journey' GROUP BY journey ORDER BY journey
"""

INTENTS = """
CREATE TABLE intents AS                  -- what customers wanted
SELECT intent, min(journey) AS journey,
       arg_min(asked_minor, id) FILTER (op = 'create') AS total_minor,   -- what it costs, by the first create
       min(sent_ns) AS sent_ns
FROM operations GROUP BY intent ORDER BY intent
"""

ORDERS = """
CREATE TABLE orders AS                   -- every order that any source names
WITH said AS (
    SELECT order_id, arg_min(journey, (sent_ns, id)) AS journey, arg_min(intent, (sent_ns, id)) AS intent,
           min(sent_ns) AS first_sent_ns,
           -- else when its owner, who can have it from a list only, first asked about it
           coalesce(min(done_ns) FILTER (outcome = 'ok' AND op <> 'journey'),
                    min(sent_ns) FILTER (order_id = asked_order_id AND op IN ('pay', 'read', 'refund'))) AS known_ns,
           coalesce(arg_min(id, (done_ns, id)) FILTER (outcome = 'ok' AND op <> 'journey'),
                    arg_min(id, (sent_ns, id)) FILTER (order_id = asked_order_id AND op IN ('pay', 'read', 'refund')))
               AS known_by,
           arg_min(asked_minor, id) FILTER (op IN ('create', 'trespass') AND outcome = 'ok') AS asked_minor,
           arg_min(amount_minor, id) FILTER (outcome = 'ok' AND op IN ('create', 'pay', 'read')) AS told_minor,
           arg_min(pay_by_ns, (done_ns, id)) AS pay_by_ns
    FROM operations                      -- who replays another's create has an order of its own by it
    WHERE order_id IS NOT NULL AND (op <> 'trespass' OR tried = 'create') GROUP BY order_id),
listed AS (
    SELECT order_id, min(journey) AS journey, min(user_id) AS user_id
    FROM (SELECT unnest(orders) AS order_id, journey, user_id FROM lists) GROUP BY order_id),
charged AS (SELECT DISTINCT order_id FROM ledger WHERE order_id IS NOT NULL),
booked AS (SELECT order_id, min(user_id) AS user_id, min(amount_minor) AS amount_minor, min(pay_by_ns) AS pay_by_ns
           FROM books_orders GROUP BY order_id),
paid AS (SELECT DISTINCT order_id FROM books_payments),
every AS (SELECT order_id FROM said UNION SELECT order_id FROM listed UNION SELECT order_id FROM charged
          UNION SELECT order_id FROM booked UNION SELECT order_id FROM paid),
lone AS (SELECT journey, min(intent) AS intent FROM operations GROUP BY journey HAVING min(intent) = max(intent)),
owned AS (
    SELECT e.order_id, coalesce(s.journey, l.journey, j.journey) AS journey, s.intent AS said_intent,
           coalesce(k.user_id, l.user_id, b.user_id) AS user_id,
           s.order_id IS NOT NULL AS in_history, b.order_id IS NOT NULL AS in_books,
           c.order_id IS NOT NULL AS in_ledger, l.order_id IS NOT NULL AS in_list,
           s.first_sent_ns, s.known_ns, s.known_by, s.asked_minor, coalesce(s.told_minor, b.amount_minor) AS told_minor,
           coalesce(s.pay_by_ns, b.pay_by_ns) AS pay_by_ns
    FROM every AS e LEFT JOIN said AS s USING (order_id) LEFT JOIN listed AS l USING (order_id)
    LEFT JOIN charged AS c USING (order_id) LEFT JOIN booked AS b USING (order_id)
    LEFT JOIN journeys AS j ON j.user_id = b.user_id LEFT JOIN journeys AS k ON k.journey = s.journey)
SELECT row_number() OVER (ORDER BY o.first_sent_ns NULLS LAST, o.order_id) AS order_no,
       o.order_id, o.journey, o.user_id,             -- the owner: who first named it, else as lists or books say
       coalesce(o.said_intent, n.intent) AS intent,  -- NULL: no journey of the history owns it
       o.in_history, o.in_books, o.in_ledger, o.in_list,
       o.first_sent_ns,                              -- first operation about it; NULL where only others name it
       o.known_ns,                                   -- when its owner had it from a reply; NULL: never
       o.known_by,                                   -- id of that operation
       -- asked for by the create that named it, else by the intent's, else told, else as the books say
       coalesce(o.asked_minor, i.total_minor, o.told_minor) AS total_minor,
       o.pay_by_ns                                   -- as the customer was told, else as the books say
FROM owned AS o LEFT JOIN lone AS n USING (journey)
LEFT JOIN intents AS i ON i.intent = coalesce(o.said_intent, n.intent)
ORDER BY order_no
"""

KNOWN_ORDERS = """
CREATE VIEW known_orders AS              -- orders that an ok reply named to their owner
SELECT * FROM orders WHERE known_ns IS NOT NULL
"""

CREATES = """
CREATE VIEW creates AS                   -- all that asked for an order, replays of another customer's among them
SELECT * FROM operations WHERE op = 'create' OR (op = 'trespass' AND tried = 'create')
"""

REQUESTS = """
CREATE VIEW requests AS                  -- single HTTP requests of operations that take several
SELECT * FROM operations WHERE op = 'request'
"""

FAULTS = """
CREATE TABLE faults AS                   -- one row a fault: as planned, and as it truly went
SELECT p.number, p.kind, p.driver, p."where", p.settings, p."describe", p.cue, p.standing,
       p.start_ns AS planned_start_ns, p.end_ns AS planned_end_ns,
       min(e.at_ns) FILTER (e.event = 'injected') AS start_ns,           -- NULL: never injected
       max(e.at_ns) FILTER (e.event = 'lifted') AS lifted_ns,
       max(e.at_ns) FILTER (e.event IN ('lifted', 'lift_read_back', 'effect_gone')) AS end_ns,  -- NULL: not seen to end
       list_sort(list_distinct(list(e.event) FILTER (e.event IS NOT NULL))) AS events,
       list_sort(list_distinct(list(e.event) FILTER (e.status = 'mismatch'))) AS mismatches,
       list_sort(list_distinct(list(e.event) FILTER (e.status = 'inconclusive'))) AS inconclusive
FROM planned_faults AS p LEFT JOIN fault_events AS e USING (number)
GROUP BY ALL ORDER BY p.number
"""

SHARED_TABLES = (JOURNEYS, INTENTS, ORDERS, KNOWN_ORDERS, CREATES, REQUESTS, FAULTS)
"""In the order in which they are defined, after `operations`."""
