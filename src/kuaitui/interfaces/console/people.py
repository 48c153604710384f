"""Who decided what, by name."""

from __future__ import annotations

from kuaitui.accounts.queries import display_names
from kuaitui.payouts.queries import Openings


def names_of(opened: Openings) -> dict[str, str]:
    """Who decided about a part that its channel holds for a person."""
    decided = opened.intervention
    if decided is None:
        return {}
    return display_names(user_ids={decided.proposed_by, decided.confirmed_by})
