"""The first page of a shop: what can come back, and why that much."""

from __future__ import annotations

from django.http import HttpResponseBase
from django.views.decorators.http import require_safe

from kuaitui.deductions import queries as deductions
from kuaitui.deposits import queries as deposits
from kuaitui.deposits.states import SuspenseState
from kuaitui.interfaces.portal.cards import deposit_card
from kuaitui.interfaces.portal.payment_words import KEPT_APART
from kuaitui.interfaces.portal.rendering import show
from kuaitui.interfaces.portal.requests import ShopRequest
from kuaitui.interfaces.portal.story import words_of
from kuaitui.kernel.clock import read_clock
from kuaitui.kit.web import permission
from kuaitui.refunds import queries as refunds
from kuaitui.refunds.states import State

APPLICATIONS_SHOWN = 3


@permission("deposit.view")
@require_safe
def home(request: ShopRequest, shop_id: str) -> HttpResponseBase:
    """The deposits of the shop, each with the sum that explains it."""
    now = read_clock()
    accounts = deposits.deposits_of_shop(shop_key=request.shop.key)
    applications = refunds.applications_of_shop(
        shop_key=request.shop.key, now=now, limit=APPLICATIONS_SHOWN
    )
    cases = deductions.cases_of_shop(shop_key=request.shop.key, now=now)
    told = [(one, words_of(one)) for one in applications]
    newest = {one.account_id: one.application_id for one in reversed(applications)}
    context = {
        # A rejection is past when the seller has applied anew.
        "to_do": [
            (one, words)
            for one, words in told
            if words.needs_seller
            and (one.state is not State.REJECTED or newest[one.account_id] == one.application_id)
        ],
        "cards": [deposit_card(account, shop_id=shop_id, now=now) for account in accounts],
        "applications": told,
        "announced": [case for case in cases if case.can_reply],
        "to_appeal": [case for case in cases if case.can_appeal],
        "kept_apart": [
            (case, KEPT_APART.get(case.why, ""), case.state is SuspenseState.TO_SEND_BACK)
            for case in deposits.suspense_of_shop(shop_key=request.shop.key)
        ],
        "now": now,
    }
    return show(request, "portal/home.html", context, place="home")
