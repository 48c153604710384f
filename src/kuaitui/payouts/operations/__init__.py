"""What changes payouts. Uses own their transaction; `begin`, `cancel`, `close_out` and `repair` are steps."""

from kuaitui.payouts.operations.bank_messages import (
    TakenIn,
    bring_message,
    confirm_message,
    not_taken_in,
    take_in_from_mailbox,
)
from kuaitui.payouts.operations.batch_files import make_batch_file
from kuaitui.payouts.operations.batches import build_batch, cancel_batch, release_batch
from kuaitui.payouts.operations.begin import begin_payout, cancel_payout, repair_leg
from kuaitui.payouts.operations.carry_out import (
    call_channel,
    carry_out_leg,
    note_sends,
    record_calls,
)
from kuaitui.payouts.operations.claim import Claim, Claimed, claim_leg, claim_legs
from kuaitui.payouts.operations.close_out import close_out_payout
from kuaitui.payouts.operations.control import (
    note_hint,
    release_leg,
    request_query_now,
    request_send_back_query_now,
    set_leg_aside,
)
from kuaitui.payouts.operations.holds import (
    confirm_release,
    hold_if_restored,
    hold_sending,
    propose_release,
)
from kuaitui.payouts.operations.interventions import (
    call_back,
    confirm_give_up,
    confirm_hand_over,
    propose_give_up,
    propose_hand_over,
    stop_trying,
    withdraw_intervention,
)
from kuaitui.payouts.operations.limits import confirm_limit, note_balance, propose_limit
from kuaitui.payouts.operations.moving import Recording
from kuaitui.payouts.operations.record import record_outcome, record_outcomes
from kuaitui.payouts.operations.send_back_calls import (
    carry_out_send_back,
    record_send_back_outcome,
)
from kuaitui.payouts.operations.send_backs import (
    SendBackClaim,
    begin_send_back,
    claim_send_back,
    release_send_back,
    set_send_back_aside,
)
from kuaitui.payouts.operations.switches import confirm_resume, propose_resume, stop_sending
from kuaitui.payouts.operations.trips import trip_on_rates

__all__ = [
    "Claim",
    "Claimed",
    "Recording",
    "SendBackClaim",
    "TakenIn",
    "begin_payout",
    "begin_send_back",
    "bring_message",
    "build_batch",
    "call_back",
    "call_channel",
    "cancel_batch",
    "cancel_payout",
    "carry_out_leg",
    "carry_out_send_back",
    "claim_leg",
    "claim_legs",
    "claim_send_back",
    "close_out_payout",
    "confirm_give_up",
    "confirm_hand_over",
    "confirm_limit",
    "confirm_message",
    "confirm_release",
    "confirm_resume",
    "hold_if_restored",
    "hold_sending",
    "make_batch_file",
    "not_taken_in",
    "note_balance",
    "note_hint",
    "note_sends",
    "propose_give_up",
    "propose_hand_over",
    "propose_limit",
    "propose_release",
    "propose_resume",
    "record_calls",
    "record_outcome",
    "record_outcomes",
    "record_send_back_outcome",
    "release_batch",
    "release_leg",
    "release_send_back",
    "repair_leg",
    "request_query_now",
    "request_send_back_query_now",
    "set_leg_aside",
    "set_send_back_aside",
    "stop_sending",
    "stop_trying",
    "take_in_from_mailbox",
    "trip_on_rates",
    "withdraw_intervention",
]
