"""Which promises can a run be held to? One promise, one file; all listed here by hand."""

from collections.abc import Mapping

from harness.checks import (
    affected_list,
    announced,
    assumptions,
    backup_channel,
    bulkhead,
    busy_is_clear,
    canary_contained,
    compensated,
    detection_time,
    emergency_path,
    fulfilled_once,
    goodput,
    idempotent_reply,
    latency,
    legal_transitions,
    money_conserved,
    no_double_charge,
    no_leak,
    no_orphan_charge,
    no_over_refund,
    no_silence,
    no_stuck_order,
    no_vanished_order,
    owner_only,
    priority,
    read_your_writes,
    recovery_time,
    refund_in_window,
    retry_amplification,
    success_ratio,
)
from harness.checks.check import Check, Premise

__all__ = ["CHECKS", "Check", "Premise"]

_LISTED: tuple[Check, ...] = (
    # Promises about orders and money come before those about how the target behaves.
    no_vanished_order.CHECK,
    no_double_charge.CHECK,
    no_orphan_charge.CHECK,
    refund_in_window.CHECK,
    no_over_refund.CHECK,
    money_conserved.CHECK,
    compensated.CHECK,
    affected_list.CHECK,
    detection_time.CHECK,
    no_stuck_order.CHECK,
    fulfilled_once.CHECK,
    legal_transitions.CHECK,
    idempotent_reply.CHECK,
    no_silence.CHECK,
    success_ratio.CHECK,
    latency.CHECK,
    announced.CHECK,
    busy_is_clear.CHECK,
    priority.CHECK,
    goodput.CHECK,
    emergency_path.CHECK,
    read_your_writes.CHECK,
    canary_contained.CHECK,
    owner_only.CHECK,
    no_leak.CHECK,
    retry_amplification.CHECK,
    bulkhead.CHECK,
    backup_channel.CHECK,
    recovery_time.CHECK,
    # Last, what must hold for all others.
    assumptions.CHECK,
)

CHECKS: Mapping[str, Check] = {check.name: check for check in _LISTED}
