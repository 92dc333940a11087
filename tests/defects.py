"""Which check catches which defect, and in which scene? The one table; the README's is made from it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Caught:
    """Where a defect of the reference API must be caught."""

    scene: str
    check: str
    alone: bool = False
    """Depends on timing, so nothing else runs beside it."""


# Of each check the tests play the first: here the one in a scene that would not be played otherwise, or not alone.
DEFECTS: dict[str, Caught] = {
    "ack_before_commit": Caught(scene="ApiKilled", check="no_vanished_order"),
    "delete_on_failure": Caught(scene="AnswerLost", check="no_vanished_order"),
    "create_ignores_key": Caught(scene="CutReplies", check="idempotent_reply"),
    "row_after_provider": Caught(scene="ApiKilled", check="no_orphan_charge"),
    "new_number_on_retry": Caught(scene="AnswerLost", check="no_double_charge"),
    "switch_without_close": Caught(scene="SilentProvider", check="no_double_charge"),
    "forged_notification_accepted": Caught(scene="ForgedNotices", check="money_conserved"),
    "timeout_is_failure": Caught(scene="AnswerLost", check="money_conserved"),
    "no_auto_refund": Caught(scene="LateCharge", check="refund_in_window"),
    "refund_never_sent": Caught(scene="FestivalEvening", check="refund_in_window"),
    "refund_per_notice": Caught(scene="RepeatedNotices", check="no_over_refund"),
    "second_partial_swallowed": Caught(scene="FestivalEvening", check="refund_in_window"),
    "key_ignores_body": Caught(scene="FestivalEvening", check="idempotent_reply"),
    "page_skips_one": Caught(scene="FestivalEvening", check="read_your_writes"),
    "key_without_user": Caught(scene="FestivalEvening", check="owner_only"),
    "unknown_left_alone": Caught(scene="AnswerLost", check="no_stuck_order"),
    "no_deadline": Caught(scene="SilentProvider", check="no_silence"),
    "old_schema_refused": Caught(scene="RollingUpgrade", check="success_ratio"),
    "abandon_on_unknown": Caught(scene="AnswerLost", check="success_ratio"),
    "released_twice": Caught(scene="RepeatedNotices", check="fulfilled_once"),
    "released_before_payment": Caught(scene="LateCharge", check="fulfilled_once"),
    "released_never": Caught(scene="FestivalEvening", check="fulfilled_once"),
    "closed_order_reopened": Caught(scene="LateCharge", check="legal_transitions"),
    "closed_early": Caught(scene="LateCharge", check="legal_transitions"),
    "half_refund_is_refunded": Caught(scene="FestivalEvening", check="money_conserved"),
    "last_refund_is_part": Caught(scene="FestivalEvening", check="money_conserved"),
    "notification_acked_before_commit": Caught(scene="ApiKilled", check="no_stuck_order"),
    "lists_slow": Caught(scene="FestivalEvening", check="latency"),
    "global_lock": Caught(scene="FestivalEvening", check="latency", alone=True),
    "no_breaker": Caught(scene="RetryStorm", check="retry_amplification"),
    "no_schema_fallback": Caught(scene="InterceptedMerchants", check="retry_amplification"),
    "retry_amplified": Caught(scene="RetryStorm", check="retry_amplification"),
    "one_pool_for_all": Caught(scene="SlowProvider", check="bulkhead"),
    "no_backup_named": Caught(scene="ProviderDown", check="backup_channel"),
    "dead_method_named": Caught(scene="ProviderDown", check="backup_channel"),
    "breaker_never_closes": Caught(scene="ProviderDown", check="recovery_time"),
    "card_number_in_error": Caught(scene="AnswerLost", check="no_leak"),
    "stack_trace_in_500": Caught(scene="FestivalEvening", check="no_leak"),
    "phone_in_log": Caught(scene="FestivalEvening", check="no_leak"),
    "token_in_header": Caught(scene="FestivalEvening", check="no_leak"),
    "other_order_readable_while_degraded": Caught(scene="AnswerLost", check="owner_only"),
    "refund_for_anyone": Caught(scene="FestivalEvening", check="owner_only"),
    "stale_read_after_write": Caught(scene="FestivalEvening", check="read_your_writes"),
    "amount_rounded_down": Caught(scene="FestivalEvening", check="read_your_writes"),
    "status_shares_fate": Caught(scene="ReadStorm", check="announced"),
    "status_always_ok": Caught(scene="EmergencyPath", check="announced"),
    "status_always_degraded": Caught(scene="EmergencyPath", check="announced"),
    "status_late": Caught(scene="EmergencyPath", check="announced"),
    "voucher_twice": Caught(scene="LongSilence", check="compensated"),
    "voucher_never": Caught(scene="LongSilence", check="compensated"),
    "voucher_wrong_rounding": Caught(scene="LongSilence", check="compensated"),
    "unaffected_compensated": Caught(scene="LongSilence", check="compensated"),
    "affected_forgotten": Caught(scene="LongSilence", check="affected_list"),
    "reconciliation_blind": Caught(scene="MorningPeak", check="detection_time"),
    "reconciliation_without_grace": Caught(scene="MorningPeak", check="detection_time"),
    "refund_in_yuan_for_fen": Caught(scene="MorningPeak", check="money_conserved"),
    "upgrade_drops_in_flight": Caught(scene="RollingUpgrade", check="no_orphan_charge"),
    "canary_not_sticky": Caught(scene="BadCanary", check="canary_contained", alone=True),
    "canary_twice_share": Caught(scene="BadCanary", check="canary_contained", alone=True),
    "never_rolls_back": Caught(scene="BadCanary", check="canary_contained", alone=True),
    "roll_back_loses_orders": Caught(scene="BadCanary", check="no_vanished_order", alone=True),
    "busy_as_200": Caught(scene="Overload", check="busy_is_clear"),
    "busy_without_retry_after": Caught(scene="Overload", check="busy_is_clear"),
    "busy_after_20_s": Caught(scene="Overload", check="busy_is_clear"),
    "refused_but_charged": Caught(scene="Overload", check="busy_is_clear"),
    "order_dropped_when_busy": Caught(scene="Overload", check="busy_is_clear"),
    "refunds_behind_payments": Caught(scene="Overload", check="priority", alone=True),
    "congestion_collapse": Caught(scene="Overload", check="goodput", alone=True),
    "queries_behind_payments": Caught(scene="Overload", check="priority", alone=True),
    "closed_order_hidden": Caught(scene="LateCharge", check="no_vanished_order"),
    "never_closed": Caught(scene="FestivalEvening", check="no_stuck_order"),
    "charged_with_a_fee": Caught(scene="FestivalEvening", check="no_double_charge"),
    "number_garbled": Caught(scene="RepeatedNotices", check="no_orphan_charge"),
    "charged_unasked": Caught(scene="FestivalEvening", check="no_orphan_charge"),
    "refund_rounded_up": Caught(scene="FestivalEvening", check="no_over_refund"),
    "emergency_path_shut": Caught(scene="EmergencyPath", check="emergency_path"),
    "valid_refund_refused": Caught(scene="FestivalEvening", check="refund_in_window"),
    "released_for_another_line": Caught(scene="FestivalEvening", check="fulfilled_once"),
}

SCENARIOS = (
    "AllProvidersDown",
    "AnswerLost",
    "ApiKilled",
    "BadCanary",
    "CutReplies",
    "DatabaseTrouble",
    "EmergencyPath",
    "FestivalEvening",
    "ForgedNotices",
    "Incident",
    "InterceptedMerchants",
    "LateCharge",
    "LongSilence",
    "MorningPeak",
    "Overload",
    "ProviderDown",
    "ReadStorm",
    "RepeatedNotices",
    "RetryStorm",
    "RollingUpgrade",
    "SilentProvider",
    "SlowProvider",
    "UpgradeAtPeak",
)
"""Every scenario; the fixed build passes all of them."""

ALONE = frozenset({"BadCanary", "FestivalEvening", "Incident", "Overload", "ReadStorm"})
"""Scenarios that load the machine, or promise a latency: nothing else runs beside the fixed build's scene."""
