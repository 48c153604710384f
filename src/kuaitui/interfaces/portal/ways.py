"""The ways a refund takes, in a seller's words."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from kuaitui.deposits.types import Destination, Route, RoutePlan
from kuaitui.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Way:
    """An amount and where it goes: back along a channel, or to an account by its last digits."""

    is_original: bool
    channel: str
    amount: Money
    destination: Destination | None

    @property
    def tail(self) -> str:
        """The last digits of the account, if it is one."""
        return self.destination.tail4 if self.destination else ""


def ways_out(plan: RoutePlan | None, destination: Destination | None) -> list[Way]:
    """One way for each channel the money goes back along, and one for the chosen account."""
    legs = plan.legs if plan else ()
    sums: dict[tuple[bool, str], Money] = {}
    for leg in legs:
        is_original = leg.route is Route.ORIGINAL
        key = (is_original, leg.channel if is_original else "")
        sums[key] = sums[key] + leg.amount if key in sums else leg.amount
    return [
        Way(is_original, channel, amount, None if is_original else destination)
        for (is_original, channel), amount in sums.items()
    ]


def in_a_few_words(ways: list[Way]) -> str:
    """Where the money goes, to end the words of a button."""
    tails = [way.tail for way in ways if way.tail]
    if not tails:
        return _("back the way it came")
    if len(ways) == 1:
        return _("to the account ending in %(tail)s") % {"tail": tails[0]}
    return _("back the way it came and to the account ending in %(tail)s") % {"tail": tails[0]}
