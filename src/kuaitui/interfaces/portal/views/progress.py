"""How an application stands: where the money is, who acts by when, what the seller can do."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from kuaitui.interfaces.portal import words
from kuaitui.interfaces.portal.rendering import show
from kuaitui.interfaces.portal.requests import ShopRequest, is_in_wechat
from kuaitui.interfaces.portal.story import (
    acts_of,
    is_being_asked,
    legs_of,
    mark_of,
    money_of,
    next_of,
    steps_of,
    words_of,
)
from kuaitui.interfaces.portal.ways import came_back, ways_of, ways_out
from kuaitui.kernel.clock import read_clock
from kuaitui.kit.web import permission
from kuaitui.payouts.queries import confirmations_of
from kuaitui.refunds import queries as refunds
from kuaitui.refunds.states import OPEN, NextActor, SellerAct, State

APPLICATIONS_SHOWN = 50


@permission("deposit.view")
@require_safe
def progress_list(request: ShopRequest, shop_id: str) -> HttpResponseBase:  # noqa: ARG001
    """Every application of the shop, the newest first."""
    applications = refunds.applications_of_shop(
        shop_key=request.shop.key, now=read_clock(), limit=APPLICATIONS_SHOWN
    )
    listed = [(application, words_of(application)) for application in applications]
    return show(request, "portal/progress_list.html", {"listed": listed}, place="progress")


@permission("deposit.view")
@require_safe
def progress(request: ShopRequest, shop_id: str, application_id: str) -> HttpResponseBase:  # noqa: ARG001
    """One application. A browser that asks again for the same state gets nothing to redraw."""
    application = refunds.application(
        application_id=application_id, shop_key=request.shop.key, now=read_clock()
    )
    mark = mark_of(application)
    if request.headers.get("HX-Request") and request.GET.get("seen") == mark:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    acts = acts_of(application)
    to_confirm = confirmations_of(application_id=application_id, shop_key=request.shop.key)
    context = {
        "application": application,
        "state": words_of(application),
        "steps": steps_of(application),
        "legs": legs_of(application),
        "ways": ways_of(application),
        "came_back": came_back(application),
        "is_dated": bool(application.parts) and application.state in OPEN,
        "is_being_asked": is_being_asked(application),
        "to_confirm": to_confirm,
        "here": request.build_absolute_uri(request.path),
        "is_in_wechat": is_in_wechat(request),
        "money": money_of(application),
        "next_actor": words.NEXT_ACTORS[NextActor.SELLER] if to_confirm else next_of(application),
        "acts": [(act.value, words.SELLER_ACTS[act]) for act in acts],
        "only_withdraw": acts == [SellerAct.WITHDRAW],
        "is_account_named": application.state is State.DESTINATION_REPAIRED,
        "reject_reasons": [
            words.REJECT_REASONS[reason]
            for reason in (application.rejection.reasons if application.rejection else ())
        ],
        "reason": words.REASONS[application.reason][0],
        "mark": mark,
        "moves_by_itself": application.state in OPEN
        and application.state_facts.next_actor is not NextActor.SELLER,
    }
    return show(request, "portal/progress.html", context, place="progress")


@permission("deposit.view")
@require_safe
def submitted(request: ShopRequest, shop_id: str, application_id: str) -> HttpResponseBase:  # noqa: ARG001
    """The application is in: its number, what happens next, and when."""
    application = refunds.application(
        application_id=application_id, shop_key=request.shop.key, now=read_clock()
    )
    context = {
        "application": application,
        "state": words_of(application),
        "ways": ways_out(application.plan, application.destination),
    }
    return show(request, "portal/submitted.html", context)
