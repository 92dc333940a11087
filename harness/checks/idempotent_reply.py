"""Does asking again with the same key give the same result, once?

Violated when one key with one body was acknowledged with two results (another id, another amount; the
state may move on), or had two effects, when a key was accepted with two bodies, or when two creates of one
journey with two keys were acknowledged with one order: the second was asked for and never made.
Two effects are: of a create, more orders of that journey's user, in the books or its own list, than
the journey used keys; of a payment, more charges of an order that a provider kept, by one method,
than keys; of a refund, more refunds of an order that the books call asked for than keys.

A key that was sent once is no case, though it may be a breach: unless the target publishes that it merges creates
(`merges_creates`), one order stands for one key. Nor is a key a case that was repeated after the target may have
forgotten it, or whose customer left without an answer. A refusal (validation, conflict, busy) is no result: what
follows it may be the first, and may have another body; so may what follows a request without an answer,
which may never have arrived. Undecided: a charge too many that may still go back in time; no request
with the key was answered, and its effects cannot be counted either, because neither books nor list
nor ledger is there to show a second one.
"""

from collections import defaultdict

from harness.checks.check import Check, Premise
from harness.checks.proof import MAX_ROWS, operation, proof, reasons
from harness.evidence.tables import Evidence
from harness.verdict import CheckResult, Finding

KEYS = """
CREATE OR REPLACE TEMP TABLE keys AS     -- one row a key that was sent more than once
WITH first AS (
    SELECT key_no, min(sent_ns) AS sent_ns,                            -- it stands for what was first acknowledged
           coalesce(arg_min(body, (sent_ns, id)) FILTER (ok), arg_min(body, (sent_ns, id))) AS body
    FROM keyed GROUP BY key_no),
timely AS (
    SELECT k.*, k.body = f.body AS same_body FROM keyed AS k JOIN first AS f USING (key_no)
    WHERE $lives_ns IS NULL OR k.sent_ns <= f.sent_ns + $lives_ns)
SELECT t.key_no, min(t.op) AS op, min(t.method) AS method, min(t.journey) AS journey, min(j.user_id) AS user_id,
       count(*) AS requests,
       arg_min(t.order_id, (t.sent_ns, t.id)) FILTER (t.order_id IS NOT NULL) AS order_id,
       list(DISTINCT t.result_id ORDER BY t.result_id) FILTER (ok AND same_body AND t.result_id IS NOT NULL) AS results,
       list(DISTINCT t.told_minor ORDER BY t.told_minor) FILTER (ok AND same_body AND t.told_minor IS NOT NULL)
           AS amounts,
       count(*) FILTER (ok AND NOT same_body) AS other_bodies,
       bool_or(ok OR (t.ending IS NOT DISTINCT FROM 'answered' AND t.outcome = 'fail')) AS answered,
       coalesce(bool_or(j.final = 'left' OR (j.leaves_early AND j.final IS NULL)), false) AS left_early
FROM timely AS t LEFT JOIN journeys AS j USING (journey) GROUP BY t.key_no HAVING count(*) > 1 ORDER BY t.key_no
"""

KEYED = """
CREATE OR REPLACE TEMP TABLE keyed AS    -- requests that carried a key, with what the key stands for
SELECT id, key_no, op, journey, method, sent_ns, outcome, ending, result_id,
       order_id,
       -- acknowledged, or told that it is being worked on: either names what the key made
       coalesce(outcome = 'ok' OR (outcome = 'info' AND ending = 'answered' AND http // 100 = 2), false) AS ok,
       CASE WHEN op = 'pay' THEN NULL ELSE amount_minor END AS told_minor,
       concat_ws(' ', op, CASE WHEN op <> 'create' THEN coalesce(asked_order_id, '') END, method, asked_minor, currency,
                 line) AS body
FROM operations WHERE key_no IS NOT NULL AND op IN (SELECT unnest($idempotent)) ORDER BY id
"""

CREATED_TWICE = """
WITH owned AS (
    SELECT j.journey, b.order_id FROM books_orders AS b JOIN journeys AS j USING (user_id)
    UNION SELECT j.journey, unnest(l.orders) FROM lists AS l JOIN journeys AS j USING (user_id)),
effects AS (SELECT journey, count(*) AS effects, list(order_id ORDER BY order_id) AS what FROM owned GROUP BY journey),
used AS (                                -- another's key, replayed, makes an order of one's own
    SELECT journey, count(DISTINCT key_no) AS keys FROM creates
    WHERE op = 'create' OR outcome <> 'fail' GROUP BY journey)
SELECT min(k.key_no) AS key_no, e.effects, u.keys, e.what, false AS may_heal
FROM keys AS k JOIN effects AS e USING (journey)
JOIN used AS u USING (journey) WHERE k.op = 'create' AND e.effects > u.keys
GROUP BY journey, e.effects, u.keys, e.what ORDER BY key_no
"""

CHARGED_TWICE = """
WITH charged AS (SELECT order_id, provider, number, sum(amount_minor) AS taken_minor,
                        max(back_by(provider, at_ns)) AS back_by_ns
                 FROM captures GROUP BY order_id, provider, number),
back AS (SELECT provider, number, sum(amount_minor) FILTER (done_ns IS NOT NULL) AS back_minor,
                sum(amount_minor) FILTER (done_ns IS NOT NULL OR running) AS soon_minor
         FROM provider_refunds GROUP BY provider, number),
kept AS (                                -- charges not given back in full; settled: nor can they be any more, in time
    SELECT c.order_id, c.provider, c.number,
           c.taken_minor > coalesce(b.soon_minor, 0) AND c.back_by_ns <= (SELECT until_ns FROM limits) AS settled
    FROM charged AS c LEFT JOIN back AS b USING (provider, number) WHERE c.taken_minor > coalesce(b.back_minor, 0)),
effects AS (
    SELECT order_id, provider AS method, count(*) AS effects, list(number ORDER BY number) AS what,
           count(*) FILTER (NOT settled) AS open
    FROM kept GROUP BY order_id, provider),
used AS (SELECT order_id, method, count(DISTINCT key_no) AS keys FROM keyed WHERE op = 'pay' GROUP BY order_id, method),
again AS (
    SELECT DISTINCT k.key_no, y.order_id, y.method FROM keys AS k JOIN keyed AS y USING (key_no) WHERE k.op = 'pay')
SELECT min(a.key_no) AS key_no, e.effects, u.keys, e.what, e.effects - e.open <= u.keys AS may_heal
FROM again AS a JOIN effects AS e USING (order_id, method) JOIN used AS u USING (order_id, method)
WHERE e.effects > u.keys GROUP BY order_id, method, e.effects, e.open, u.keys, e.what ORDER BY key_no
"""

REFUNDED_TWICE = """
WITH effects AS (
    SELECT order_id, count(DISTINCT refund_id) AS effects, list(DISTINCT refund_id ORDER BY refund_id) AS what
    FROM books_refunds WHERE requested AND NOT compensation AND state <> 'failed' GROUP BY order_id),
used AS (SELECT order_id, count(DISTINCT key_no) AS keys FROM keyed WHERE op = 'refund' GROUP BY order_id)
SELECT min(k.key_no) AS key_no, e.effects, u.keys, e.what, false AS may_heal
FROM keys AS k JOIN effects AS e USING (order_id)
JOIN used AS u USING (order_id) WHERE k.op = 'refund' AND e.effects > u.keys
GROUP BY order_id, e.effects, u.keys, e.what ORDER BY key_no
"""

SWALLOWED = """
SELECT k.order_id, k.journey, min(j.user_id) AS user_id, count(DISTINCT k.key_no) AS keys,
       list(DISTINCT k.key_no ORDER BY k.key_no) AS key_nos
FROM keyed AS k LEFT JOIN journeys AS j USING (journey)
WHERE k.op = 'create' AND k.outcome = 'ok' AND k.order_id IS NOT NULL
GROUP BY k.order_id, k.journey HAVING count(DISTINCT k.key_no) > 1 ORDER BY min(k.id)
"""

EFFECTS = ((CREATED_TWICE, "orders"), (CHARGED_TWICE, "charges that were kept"), (REFUNDED_TWICE, "refunds"))

AGAIN = "SELECT * FROM keys ORDER BY key_no"


def check(evidence: Evidence) -> CheckResult:
    """Compare results and count effects of every key that was sent again; a case is a key."""
    capabilities = evidence.scenario.capabilities
    if not capabilities.idempotent:
        return CheckResult(examined=0, not_offered="no operation of the target carries an idempotency key")
    lives_ms = capabilities.key_lives_ms
    evidence.execute(KEYED, idempotent=list(capabilities.idempotent))
    evidence.execute(KEYS, lives_ns=None if lives_ms is None else lives_ms * 1_000_000)
    again = evidence.cases(AGAIN)
    told = {row.key_no: _wrong(row.results, row.amounts, row.other_bodies) for row in again}
    orders: dict[int, list[str]] = {row.key_no: [row.order_id] if row.order_id else [] for row in again}
    healing: set[int] = set()
    for query, name in EFFECTS:
        for row in evidence.cases(query):
            if row.may_heal:
                healing.add(row.key_no)
            elif row.key_no in told:
                keys = "one key" if row.keys == 1 else f"{row.keys} keys"
                told[row.key_no].append(f"made {row.effects} {name} with {keys}: {', '.join(row.what)}")
                orders[row.key_no] += row.what if query is CREATED_TWICE else []
    cases = [row for row in again if row.answered or told[row.key_no] or not row.left_early]
    healing = {row.key_no for row in cases if row.key_no in healing and not told[row.key_no]}
    silent = [row for row in cases if not row.answered and not told[row.key_no] and row.key_no not in healing]
    countable = _countable(evidence)
    unanswered = [row for row in silent if (row.op, row.method) not in countable]
    swallowed = [] if capabilities.merges_creates else evidence.cases(SWALLOWED)
    wrong = [order for key, names in orders.items() if told[key] for order in names]
    proofs = _proofs(evidence, wrong + [row.order_id for row in swallowed])
    sent = _sent(evidence, [row.key_no for row in cases if told[row.key_no]])
    findings = tuple(
        Finding(
            subject=row.order_id or f"journey {row.journey}",
            message=f"{row.user_id} sent one {row.op} {row.requests} times with key {row.key_no}, and it "
            f"{', and '.join(told[row.key_no])}.",
            evidence={
                "key": row.key_no,
                "journey": row.journey,
                "requests": sent[row.key_no][:MAX_ROWS],
                "orders": {order: proofs[order] for order in sorted(set(orders[row.key_no])) if order in proofs},
            },
        )
        for row in cases
        if told[row.key_no]
    )
    findings += tuple(
        Finding(
            subject=row.order_id,
            message=f"{row.user_id} sent creates with {row.keys} keys ({', '.join(map(str, row.key_nos))}), and each "
            f"was acknowledged with order {row.order_id}: {row.keys - 1} of the orders asked for were never made.",
            evidence={"journey": row.journey, "orders": {row.order_id: proofs.get(row.order_id, {})}},
        )
        for row in swallowed
    )
    return CheckResult(
        examined=len(cases),
        undecided=len(unanswered) + len(healing),
        reasons=reasons(
            [
                (len(unanswered), "keys were sent again and never answered"),
                (len(healing), "keys were charged for more than once, and it may still be given back in time"),
            ]
        ),
        notes=reasons([(len(silent) - len(unanswered), "keys were never answered: only their effects were counted")]),
        findings=findings,
        measured=float(len(findings)),
        objective=0.0,
        unit="keys",
    )


WHOLE = "SELECT provider FROM ledgers WHERE unsound IS NULL ORDER BY provider"


def _countable(evidence: Evidence) -> set[tuple[str, str | None]]:
    """Operations, and of payments the methods, whose every effect is there to be counted."""
    shown = {book for book in evidence.scenario.capabilities.books if f"books.{book}" not in evidence.missing}
    countable: set[tuple[str, str | None]] = {("pay", provider) for (provider,) in evidence.rows(WHOLE)}
    countable |= {("create", None)} if "orders" in shown else set()
    return countable | ({("refund", None)} if "refunds" in shown else set())


SENT = """
SELECT p.key_no, p.id, p.op, p.method, p.attempt, p.sent_ns, p.done_ns, p.outcome, p.ending, p.http, p.code, p.result_id
FROM keyed AS k JOIN operations AS p USING (id)
WHERE k.key_no IN (SELECT unnest($keys)) ORDER BY p.key_no, p.sent_ns, p.id
"""


def _sent(evidence: Evidence, keys: list[int]) -> dict[int, list[dict[str, object]]]:
    """What was sent with these keys, by key: also what was never answered, and so is of no order that is known."""
    sent: dict[int, list[dict[str, object]]] = defaultdict(list)
    for row in evidence.cases(SENT, keys=keys) if keys else ():
        sent[row.key_no].append(operation(evidence, vars(row)))
    return sent


NUMBERED = "SELECT order_no, order_id FROM orders WHERE order_id IN (SELECT unnest($orders)) ORDER BY order_no"


def _proofs(evidence: Evidence, orders: list[str]) -> dict[str, dict[str, object]]:
    """What is held of these orders, by order."""
    if not orders:
        return {}
    names = dict(evidence.rows(NUMBERED, orders=orders))
    return {names[number]: told for number, told in proof(evidence, names).items()}


def _wrong(results: list[str] | None, amounts: list[int] | None, other_bodies: int) -> list[str]:
    """What the replies to one key prove, as ends of a sentence."""
    wrong = []
    if results and len(results) > 1:
        wrong.append(f"was answered with {len(results)} results: {', '.join(results)}")
    if amounts and len(amounts) > 1:
        wrong.append(f"was answered with {len(amounts)} amounts: {', '.join(map(str, amounts))}")
    if other_bodies:
        wrong.append("was accepted again with another body")
    return wrong


CHECK = Check(
    name="idempotent_reply",
    promise="Asking again with the same key gives the same result and has no second effect; another key has its own.",
    function=check,
    needs=frozenset(
        {
            Premise.IDS_UNIQUE,
            Premise.ROWS_COUNTED,
            Premise.BOOKS_WHOLE,
            Premise.LEDGERS_WHOLE,
            Premise.OWNERS_ASKED,
            Premise.FAULTS_CONFIRMED,
            Premise.SAME_BUILD,
        }
    ),
    facts=("F04",),
    undecided_share=0.02,
    unit="keys",
)
