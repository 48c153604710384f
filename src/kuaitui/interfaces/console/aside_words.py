"""Why something was set aside, and what to look at before it goes on. One entry for each reason."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from kuaitui.interfaces.console.words import WAITS_FOR
from kuaitui.payouts.types import WaitsFor

Words = str | Promise

RAISE_IT: Final = _(
    "Check that the amount is right. If it is, propose a higher limit, let a second person confirm"
    " it, then let this go on. Otherwise leave it: it stays here and is not sent."
)
# By the name of what the worker met; the database's judgement and our own alike.
BROKEN: Final[dict[str, tuple[Words, Words]]] = {
    "SealBroken": (
        _("The sealed request does not open: it is not what was approved."),
        _(
            "Somebody may have changed the row, or a key is missing from the keyring. Compare the"
            " keyring with the last deployment and look at the audit trail before anything else."
        ),
    ),
    "InvariantViolated": (
        _("Something that must always be true was not."),
        _(
            "Find the worker’s critical log line with this number, and run kuaitui verify. Let it go"
            " on when the cause is mended."
        ),
    ),
    "IntegrityError": (
        _("The database refused a step: one of its rules would have been broken."),
        _(
            "Find the worker’s critical log line with this number: it names the rule. Let it go on"
            " when the cause is mended."
        ),
    ),
    "DataError": (
        _("The channel answered with something that does not fit."),
        _(
            "Find the worker’s critical log line with this number, and look at the channel’s answer."
        ),
    ),
    "InsufficientBalance": (
        _("The money for it is not set aside in the books."),
        _("Run kuaitui verify and look at the deposit’s statement before it goes on."),
    ),
    "ChannelUnknown": (
        _("The settings name no such channel any more."),
        _("Put the channel back into the settings, restart the workers, then let it go on."),
    ),
    "ChannelCannot": (
        _("The channel is set up without what this needs."),
        _("Look at the channel’s settings, restart the workers, then let it go on."),
    ),
}
UNKNOWN: Final = (
    _("The machine met something it must not decide alone."),
    _(
        "Find the worker’s critical log line with this number. Let it go on when the cause is mended."
    ),
)


def why_aside(reason: str) -> tuple[Words, Words]:
    """What it means that something was set aside for this reason, and what to check."""
    waits_for = next((one for one in WaitsFor if one.value == reason), None)
    if waits_for is not None:
        return WAITS_FOR[waits_for], RAISE_IT
    return BROKEN.get(reason, UNKNOWN)
