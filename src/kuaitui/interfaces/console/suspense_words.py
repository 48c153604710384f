"""What the staff call payments without a place, and why they have none."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from kuaitui.deposits.states import SuspenseState
from kuaitui.deposits.types import FoundBy, Resolution, SuspenseReason
from kuaitui.interfaces.console.words import Word

STATES: Final = {
    SuspenseState.OPEN: Word(_("To be placed"), "act"),
    SuspenseState.PROPOSED: Word(_("Waits for a second person"), "wait"),
    SuspenseState.TO_SEND_BACK: Word(_("On its way back"), "wait"),
    SuspenseState.ATTRIBUTED: Word(_("In a deposit"), "good"),
    SuspenseState.SENT_BACK: Word(_("Sent back"), "quiet"),
}
WHY: Final = {
    SuspenseReason.NEVER_HEARD_OF: _("An order we never heard of"),
    SuspenseReason.PAID_TWICE: _("Paid twice"),
    SuspenseReason.PAID_AFTER_CLOSING: _("Paid after the order ended"),
    SuspenseReason.ACCOUNT_CLOSED: _("Paid into a closed deposit"),
    SuspenseReason.OTHER_CURRENCY: _("Paid in another currency"),
}
WHY_MEANING: Final = {
    SuspenseReason.NEVER_HEARD_OF: _(
        "The channel collected under a number that no order here has. Find its payer in the"
        " channel’s console before you decide."
    ),
    SuspenseReason.PAID_TWICE: _(
        "The first payment is a lot of the deposit. This is the second one for the same order."
    ),
    SuspenseReason.PAID_AFTER_CLOSING: _(
        "The channel had said that the order could no longer be paid, and then said it was."
    ),
    SuspenseReason.ACCOUNT_CLOSED: _("The deposit was closed between the order and its payment."),
    SuspenseReason.OTHER_CURRENCY: _("The deposit’s book is in another currency than the payment."),
}
FOUND_BY: Final = {
    FoundBy.QUERY: _("our own question"),
    FoundBy.NOTIFICATION: _("a notification"),
    FoundBy.BILL: _("the channel’s bill"),
}
RESOLUTIONS: Final = {
    Resolution.ATTRIBUTE: _("Put it into a deposit"),
    Resolution.SEND_BACK: _("Send it back the way it came"),
    Resolution.BY_HAND: _("It has gone back by hand"),
}
