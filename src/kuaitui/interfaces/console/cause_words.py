"""Why a call about a payment came to no definite end, in the staff's words."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# By the code an adapter writes down. A channel's own codes stay as the channel writes them.
CAUSES: Final[dict[str, str | Promise]] = {
    "no_word_yet": _("The bank has said nothing of it yet"),
    "GIVEN_UP": _("Two people said that it was never paid"),
    "ROUTE_CLOSED": _("The way back closed before it was sent"),
    "deadline": _("The time for an answer was over"),
    "unreadable": _("The answer could not be read"),
    "echo_mismatch": _("The answer does not fit what was asked"),
    "amount_differs": _("The answer names another amount"),
    "state_unmapped": _("The channel named a state that is not known here"),
    "number_unfit": _("The channel’s number has an unknown form"),
    "signature_wrong": _("The answer’s signature is wrong"),
    "certificate_unknown": _("The answer is signed with an unknown certificate"),
    "not_found_after_submit": _("The channel took it and then did not know it"),
    "booked_and_rejected": _("The bank called it booked and rejected at once"),
    "lease_too_short": _("Too little time was left to send it safely"),
    "sealing_key_missing": _("The key that opens the request is missing"),
}
