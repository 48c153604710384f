"""Whether applications and deposits tell the same story."""

from __future__ import annotations

from kuaitui.deposits import queries as deposits
from kuaitui.deposits.types import HoldKind
from kuaitui.refunds.models import RefundApplication
from kuaitui.refunds.states import FACTS as STATE_FACTS
from kuaitui.refunds.states import OPEN, MoneyPlace, State

# While news of the channel is under way, a hold may be empty before its application is paid, and
# filled again before its application is returned.
_FULL = sorted(
    state for state in OPEN if STATE_FACTS[state].money is MoneyPlace.DEPOSIT_FROZEN
    and state not in {State.RETURNED, State.DESTINATION_REPAIRED}
)  # fmt: skip
_MAY_KEEP = sorted({*OPEN, State.PAID})


def differences(*, limit: int = 100) -> list[str]:
    """Money set aside for no open application, and open applications without it. There are none."""
    kept = deposits.set_aside(HoldKind.APPLICATION)
    holding = set(
        RefundApplication.objects.filter(state__in=_MAY_KEEP).values_list("public_id", flat=True)
    )
    found = [
        f"application {reference}: {minor} minor units are set aside, but it is not open"
        for reference, minor in sorted(kept.items())
        if reference not in holding
    ]
    awaiting = RefundApplication.objects.filter(state__in=_FULL).order_by("public_id")
    for public_id, amount_minor in awaiting.values_list("public_id", "amount_minor"):
        if not 0 < kept.get(public_id, 0) <= (amount_minor or 0):
            found.append(
                f"application {public_id}: {amount_minor} minor units asked for,"
                f" {kept.get(public_id, 0)} set aside"
            )
    return found[:limit]
