"""Rules of payouts: pure, no clock, no database."""

from kuaitui.payouts.rules.facts import Attempted, LegFacts, facts_of, is_refused_for_now
from kuaitui.payouts.rules.numbers import batch_hash, channel_number, send_back_number
from kuaitui.payouts.rules.protocol import (
    Step,
    as_told,
    classify,
    clears,
    decide,
    decide_asked_back,
    intervention_end,
    is_delayed,
    must_ask,
    must_ask_before_telling_again,
    next_kind,
    next_look_at,
    payout_state,
)

__all__ = [
    "Attempted",
    "LegFacts",
    "Step",
    "as_told",
    "batch_hash",
    "channel_number",
    "classify",
    "clears",
    "decide",
    "decide_asked_back",
    "facts_of",
    "intervention_end",
    "is_delayed",
    "is_refused_for_now",
    "must_ask",
    "must_ask_before_telling_again",
    "next_kind",
    "next_look_at",
    "payout_state",
    "send_back_number",
]
