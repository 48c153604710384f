"""What a channel gives us for its payee: sealed with the leg, and gone when the leg has ended."""

from __future__ import annotations

from kuaitui.channels.port import NeedsAction, Outcome
from kuaitui.kit.encryption import keyring
from kuaitui.payouts.models import PayoutLeg
from kuaitui.payouts.models.legs import UNDER_WAY_STATES
from kuaitui.payouts.queries.confirmations import hand_over_context


def keep_hand_over(leg: PayoutLeg, outcome: Outcome) -> None:
    """Keep what came with an answer; a later answer without it takes nothing away.

    WeChat Pay tells `package_info` with the answer to the send and never again (reference §1.2).
    """
    if leg.state not in UNDER_WAY_STATES:
        leg.hand_over_sealed, leg.hand_over_key_id = None, ""
    elif isinstance(outcome, NeedsAction) and outcome.hand_over:
        sealed = keyring().seal(outcome.hand_over, context=hand_over_context(leg.public_id))
        leg.hand_over_sealed, leg.hand_over_key_id = sealed.content, sealed.key_id
