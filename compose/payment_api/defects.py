"""Which mistakes can this API be made to make, and which of them make up a build?

Each defect is one switch. Where the right behaviour stands, the wrong one stands
beside it under `if Defect.NAME in ...`, so that both can be read in place. A
correct API heals most slips (a notice, a query, a refund put them right), so
each defect also forgets: nothing else in the API mends what it did.
Imports nothing heavy: `python -m compose.payment_api defects` answers at once.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType


class Defect(StrEnum):
    """The names under which a build or PAYMENT_API_DEFECTS switches them on."""

    ACK_BEFORE_COMMIT = "ack_before_commit"
    DELETE_ON_FAILURE = "delete_on_failure"
    CREATE_IGNORES_KEY = "create_ignores_key"
    AMOUNT_ROUNDED_DOWN = "amount_rounded_down"
    ROW_AFTER_PROVIDER = "row_after_provider"
    NEW_NUMBER_ON_RETRY = "new_number_on_retry"
    SWITCH_WITHOUT_CLOSE = "switch_without_close"
    TIMEOUT_IS_FAILURE = "timeout_is_failure"
    NO_AUTO_REFUND = "no_auto_refund"
    REFUND_NEVER_SENT = "refund_never_sent"
    REFUND_PER_NOTICE = "refund_per_notice"
    SECOND_PARTIAL_SWALLOWED = "second_partial_swallowed"
    KEY_IGNORES_BODY = "key_ignores_body"
    PAGE_SKIPS_ONE = "page_skips_one"
    KEY_WITHOUT_USER = "key_without_user"
    UNKNOWN_LEFT_ALONE = "unknown_left_alone"
    NO_DEADLINE = "no_deadline"
    ABANDON_ON_UNKNOWN = "abandon_on_unknown"
    GLOBAL_LOCK = "global_lock"
    NO_BREAKER = "no_breaker"
    ONE_POOL_FOR_ALL = "one_pool_for_all"
    BREAKER_NEVER_CLOSES = "breaker_never_closes"
    NO_BACKUP_NAMED = "no_backup_named"
    DEAD_METHOD_NAMED = "dead_method_named"
    RETRY_AMPLIFIED = "retry_amplified"
    NO_SCHEMA_FALLBACK = "no_schema_fallback"
    CLOSED_EARLY = "closed_early"
    HALF_REFUND_IS_REFUNDED = "half_refund_is_refunded"
    LAST_REFUND_IS_PART = "last_refund_is_part"
    RELEASED_TWICE = "released_twice"
    RELEASED_BEFORE_PAYMENT = "released_before_payment"
    RELEASED_NEVER = "released_never"
    CLOSED_ORDER_REOPENED = "closed_order_reopened"
    FORGED_NOTIFICATION_ACCEPTED = "forged_notification_accepted"
    NOTIFICATION_ACKED_BEFORE_COMMIT = "notification_acked_before_commit"
    STATUS_ALWAYS_OK = "status_always_ok"
    STATUS_ALWAYS_DEGRADED = "status_always_degraded"
    STATUS_SHARES_FATE = "status_shares_fate"
    STATUS_LATE = "status_late"
    UPGRADE_DROPS_IN_FLIGHT = "upgrade_drops_in_flight"
    ROLL_BACK_LOSES_ORDERS = "roll_back_loses_orders"
    OLD_SCHEMA_REFUSED = "old_schema_refused"
    # Of the front before the API, which is given the same names.
    CANARY_NOT_STICKY = "canary_not_sticky"
    CANARY_TWICE_SHARE = "canary_twice_share"
    NEVER_ROLLS_BACK = "never_rolls_back"
    CARD_NUMBER_IN_ERROR = "card_number_in_error"
    STACK_TRACE_IN_500 = "stack_trace_in_500"
    PHONE_IN_LOG = "phone_in_log"
    TOKEN_IN_HEADER = "token_in_header"  # noqa: S105 - a name
    OTHER_ORDER_READABLE_WHILE_DEGRADED = "other_order_readable_while_degraded"
    REFUND_FOR_ANYONE = "refund_for_anyone"
    STALE_READ_AFTER_WRITE = "stale_read_after_write"
    VOUCHER_TWICE = "voucher_twice"
    VOUCHER_NEVER = "voucher_never"
    VOUCHER_WRONG_ROUNDING = "voucher_wrong_rounding"
    UNAFFECTED_COMPENSATED = "unaffected_compensated"
    AFFECTED_FORGOTTEN = "affected_forgotten"
    RECONCILIATION_BLIND = "reconciliation_blind"
    REFUND_IN_YUAN_FOR_FEN = "refund_in_yuan_for_fen"
    BUSY_AS_200 = "busy_as_200"
    BUSY_WITHOUT_RETRY_AFTER = "busy_without_retry_after"
    BUSY_AFTER_20_S = "busy_after_20_s"
    REFUSED_BUT_CHARGED = "refused_but_charged"
    ORDER_DROPPED_WHEN_BUSY = "order_dropped_when_busy"
    REFUNDS_BEHIND_PAYMENTS = "refunds_behind_payments"
    CONGESTION_COLLAPSE = "congestion_collapse"
    QUERIES_BEHIND_PAYMENTS = "queries_behind_payments"
    EMERGENCY_PATH_SHUT = "emergency_path_shut"
    VALID_REFUND_REFUSED = "valid_refund_refused"
    RECONCILIATION_WITHOUT_GRACE = "reconciliation_without_grace"
    RELEASED_FOR_ANOTHER_LINE = "released_for_another_line"
    CLOSED_ORDER_HIDDEN = "closed_order_hidden"
    NEVER_CLOSED = "never_closed"
    CHARGED_WITH_A_FEE = "charged_with_a_fee"
    LISTS_SLOW = "lists_slow"
    NUMBER_GARBLED = "number_garbled"
    REFUND_ROUNDED_UP = "refund_rounded_up"
    CHARGED_UNASKED = "charged_unasked"
    CREATE_SWALLOWED = "create_swallowed"
    LIST_FROM_INDEX = "list_from_index"
    PAID_SAID_FAILED = "paid_said_failed"
    PAY_BY_IN_LOCAL_TIME = "pay_by_in_local_time"
    RETRY_AFTER_IN_MS = "retry_after_in_ms"
    REFUND_SAID_DONE = "refund_said_done"
    REFUND_PROMISED_BEYOND = "refund_promised_beyond"


LINES: Mapping[Defect, str] = MappingProxyType(
    {
        Defect.ACK_BEFORE_COMMIT: "answers 201 to a create and commits the order 250 ms later",
        Defect.DELETE_ON_FAILURE: "deletes the order, with all that belongs to it, when a charge call raises",
        Defect.CREATE_IGNORES_KEY: "knows no idempotency on create: each request makes another order",
        Defect.AMOUNT_ROUNDED_DOWN: "makes and charges each order over whole yuan: what is above them is left out",
        Defect.ROW_AFTER_PROVIDER: "writes the attempt only after the provider answered, under a random number",
        Defect.NEW_NUMBER_ON_RETRY: "charges again at once under a new number when a call raises, and forgets the old",
        Defect.SWITCH_WITHOUT_CLOSE: "goes to another channel without closing the first, and ignores the first since",
        Defect.TIMEOUT_IS_FAILURE: "books an unknown result as failed, and believes no notice or query about it",
        Defect.NO_AUTO_REFUND: "keeps captures that came too late or twice",
        Defect.REFUND_NEVER_SENT: "books a refund as done and never sends it",
        Defect.REFUND_PER_NOTICE: "sends the amount again, under a new number, on each repeated refund notice",
        Defect.SECOND_PARTIAL_SWALLOWED: "answers an order's second refund with the first one, and never sends it",
        Defect.KEY_IGNORES_BODY: "answers a key with what it made, whatever it is used for now",
        Defect.PAGE_SKIPS_ONE: "begins each further page of a list one order too late",
        Defect.KEY_WITHOUT_USER: "answers a create with the order that its key made, whoever sends it",
        Defect.UNKNOWN_LEFT_ALONE: "never resolves an unknown result; only a notice can",
        Defect.NO_DEADLINE: "waits for a provider as long as it takes",
        Defect.ABANDON_ON_UNKNOWN: "closes the order on an unknown result, and refunds what was captured",
        Defect.GLOBAL_LOCK: "holds one lock across each charge call, so that all wait for the slowest provider",
        Defect.NO_BREAKER: "has no breaker: a provider that fails is charged by and retried as one that works",
        Defect.ONE_POOL_FOR_ALL: "has one call at a time for all providers, background work among them",
        Defect.BREAKER_NEVER_CLOSES: "refuses a method for good once its breaker has opened",
        Defect.NO_BACKUP_NAMED: "names no method that works when one does not",
        Defect.DEAD_METHOD_NAMED: "names all methods as working, whatever it knows of them",
        Defect.NO_SCHEMA_FALLBACK: "takes it for a refused payment when a provider refuses a merchant's schema version",
        Defect.RETRY_AMPLIFIED: "repeats a charge that failed four times at once, under its number",
        Defect.CLOSED_EARLY: "closes unpaid orders 2 s before the instant that their customers were told",
        Defect.LAST_REFUND_IS_PART: "calls an order part-refunded for good, also when all of its money went back",
        Defect.HALF_REFUND_IS_REFUNDED: "calls an order refunded as soon as any part of its money went back",
        Defect.RELEASED_TWICE: "releases the order once more at each notice of a payment that it knows",
        Defect.RELEASED_BEFORE_PAYMENT: "releases the order when its payment begins, whatever comes of it",
        Defect.RELEASED_NEVER: "books an order as released and never calls dispatch",
        Defect.CLOSED_ORDER_REOPENED: "honours a capture that comes when the order has closed: closed becomes paid",
        Defect.FORGED_NOTIFICATION_ACCEPTED: "believes a notice whoever signed it",
        Defect.NOTIFICATION_ACKED_BEFORE_COMMIT: "acknowledges a notice, asks no more, and books it 1 s later",
        Defect.STATUS_ALWAYS_OK: "the status page says that all is well, whatever happens",
        Defect.STATUS_ALWAYS_DEGRADED: "the status page says that every method is down, whatever happens",
        Defect.STATUS_SHARES_FATE: "the status page remembers nothing and asks the API while its reader waits",
        Defect.STATUS_LATE: "the status page shows what it knew 8 s ago",
        Defect.UPGRADE_DROPS_IN_FLIGHT: "ends at once when told to, and takes what was under way for failed, for good",
        Defect.ROLL_BACK_LOSES_ORDERS: "deletes a new release's orders when it is told to end",
        Defect.OLD_SCHEMA_REFUSED: "understands only the new schema in its new release",
        Defect.CANARY_NOT_STICKY: "draws the build anew for each request (the front does)",
        Defect.CANARY_TWICE_SHARE: "gives a new release twice the share of users that was asked for (the front does)",
        Defect.NEVER_ROLLS_BACK: "keeps a release whose error rate departs (the front does)",
        Defect.CARD_NUMBER_IN_ERROR: "tells the card number in each refusal of a payment by card",
        Defect.STACK_TRACE_IN_500: "fails on an order that is not there, and answers with the stack",
        Defect.PHONE_IN_LOG: "logs the phone number of each order's customer",
        Defect.TOKEN_IN_HEADER: "answers each create with the caller's token in a header, in base64",
        Defect.OTHER_ORDER_READABLE_WHILE_DEGRADED: "asks nobody whose order it is while a provider is in trouble",
        Defect.REFUND_FOR_ANYONE: "refunds an order to its payer, whoever asks",
        Defect.STALE_READ_AFTER_WRITE: "reads orders from a replica that is 600 ms behind",
        Defect.VOUCHER_TWICE: "gives a voucher for each reason that an order was affected, not for each order",
        Defect.VOUCHER_NEVER: "lists who was affected and gives nobody a voucher",
        Defect.VOUCHER_WRONG_ROUNDING: "rounds a voucher's worth down",
        Defect.UNAFFECTED_COMPENSATED: "gives a voucher to everyone whose order is paid",
        Defect.AFFECTED_FORGOTTEN: "leaves out of the list of affected orders those whose money came back",
        Defect.RECONCILIATION_BLIND: "reconciles all bills but Alipay's",
        Defect.REFUND_IN_YUAN_FOR_FEN: "tells WeChat Pay a refund's amount in yuan, which takes it for fen",
        Defect.BUSY_AS_200: "says that it is busy under HTTP 200",
        Defect.BUSY_WITHOUT_RETRY_AFTER: "says that it is busy, and not when to come again",
        Defect.BUSY_AFTER_20_S: "says that it is busy only after four deadlines: 20 s at the scale of life",
        Defect.REFUSED_BUT_CHARGED: "says that it is busy, and charges all the same, under a key that nobody knows",
        Defect.ORDER_DROPPED_WHEN_BUSY: "deletes an order as soon as it was too busy for it twice",
        Defect.REFUNDS_BEHIND_PAYMENTS: "serves a query or a refund only while no new payment waits",
        Defect.CONGESTION_COLLAPSE: "spends a slot on every payment that ever queued, whoever has gone meanwhile",
        Defect.QUERIES_BEHIND_PAYMENTS: "serves a list, or an unpaid order's query, only where a slot is free",
        Defect.EMERGENCY_PATH_SHUT: "takes no refund while no method works, though nothing keeps it from doing so",
        Defect.VALID_REFUND_REFUSED: "says of an order that was released that nothing is left to refund",
        Defect.RECONCILIATION_WITHOUT_GRACE: "names a difference at first sight, also of money that is on its way",
        Defect.RELEASED_FOR_ANOTHER_LINE: "releases an order as the line of the one that it released before",
        Defect.CLOSED_ORDER_HIDDEN: "no longer shows a closed order to its owner",
        Defect.NEVER_CLOSED: "lets an unpaid order stand open past its pay_by, for good",
        Defect.CHARGED_WITH_A_FEE: "charges 1.00 more than the order costs, and books it as what was paid",
        Defect.LISTS_SLOW: "takes 1.5 s longer to list a customer's orders",
        Defect.NUMBER_GARBLED: "books what Alipay took under a number that Alipay does not know",
        Defect.CHARGED_UNASKED: "charges a further order at once, by the method that its customer paid by before",
        Defect.REFUND_ROUNDED_UP: "gives back whole yuan, rounded up, and books what it gave",
        Defect.CREATE_SWALLOWED: "answers a create with the order that its customer made just before, whatever its key",
        Defect.LIST_FROM_INDEX: "lists each order as it was when it was made: open, with nothing paid",
        Defect.PAID_SAID_FAILED: "answers each payment that its attempt failed, and shows all attempts so",
        Defect.PAY_BY_IN_LOCAL_TIME: "shows an order's pay_by in China's local time, 8 h ahead, as if it were UTC",
        Defect.RETRY_AFTER_IN_MS: "says that it is busy with a Retry-After in milliseconds: 1000 s for 1 s",
        Defect.REFUND_SAID_DONE: "calls a refund done as soon as it is asked for, in its answer and in the order",
        Defect.REFUND_PROMISED_BEYOND: "promises refunds against what has gone back, not against what it promised",
    }
)

# What the reports of the outage suggest. Some orders vanished while they were being paid (F05): delete_on_failure.
# Users retried over and over, by every method (F02, F04), and the safeguard against paying twice is a number that
# survives a retry: new_number_on_retry. Refunds that the law's safeguards ask for were not started by the operator
# (F15): no_auto_refund keeps what came late, refund_never_sent only says that money goes back. Some waited half an
# hour without any answer (F08): no_deadline. Communication came late, and the first explanation did not settle the
# matter (F23): status_always_ok. "Busy, try again later" came again and again, with no word of when (F03, F04):
# busy_without_retry_after. Coupons were promised, and users told to keep another channel (F16, F20): voucher_never,
# no_backup_named. Concern rose over personal data (F24): card_number_in_error.
INCIDENT = (
    Defect.DELETE_ON_FAILURE,
    Defect.NEW_NUMBER_ON_RETRY,
    Defect.NO_AUTO_REFUND,
    Defect.REFUND_NEVER_SENT,
    Defect.NO_DEADLINE,
    Defect.STATUS_ALWAYS_OK,
    Defect.BUSY_WITHOUT_RETRY_AFTER,
    Defect.VOUCHER_NEVER,
    Defect.NO_BACKUP_NAMED,
    Defect.CARD_NUMBER_IN_ERROR,
)

BUILDS: Mapping[str, tuple[Defect, ...]] = MappingProxyType({"fixed": (), "incident": INCIDENT})


class UnknownName(Exception):
    """A build or a defect is not known here; the message names it and those that are."""


def switched_on(build: str, names: Iterable[str]) -> frozenset[Defect]:
    """The defects of a build together with those named, or UnknownName."""
    if build not in BUILDS:
        raise UnknownName(f"unknown build {build!r}: one of {', '.join(BUILDS)}")
    unknown = [name for name in names if name not in set(Defect)]
    if unknown:
        raise UnknownName(f"unknown defect {unknown[0]!r}: one of {', '.join(Defect)}")
    return frozenset(BUILDS[build]) | {Defect(name) for name in names}
