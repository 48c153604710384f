"""Batches: what waits for a bank, gathered by one person and released by another.

Building and calling off move no money. Releasing lets the worker send; there is no other way out.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kuaitui.accounts.queries import display_names
from kuaitui.accounts.rules import Permission, may
from kuaitui.channels.bank import BankChannel, BatchFormat
from kuaitui.interfaces.console.banks import bank, banks
from kuaitui.interfaces.console.batch_forms import BuildForm, ReleaseForm, TakeForm
from kuaitui.interfaces.console.dry_run import dry_run
from kuaitui.interfaces.console.requests import StaffRequest
from kuaitui.interfaces.console.tables import page_number, pages
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal
from kuaitui.kit.web import permission, status_of
from kuaitui.payouts.operations import build_batch, cancel_batch, make_batch_file, release_batch
from kuaitui.payouts.queries import (
    BatchSummary,
    approvers_in_batch,
    batch,
    batches,
    current_hold,
    legs_of_batch,
    waiting_legs,
)
from kuaitui.payouts.states import BatchState

BATCHES_PER_PAGE: Final = 50
LEGS_CHOSEN_MAX: Final = 150  # a form has 200 fields at most; more than this goes as a whole


@permission("payout.view")
@require_safe
def show_all(request: StaffRequest) -> HttpResponse:
    """Every batch, the open ones first, and what waits for one."""
    now = read_clock()
    page = page_number(request)
    found = batches(limit=BATCHES_PER_PAGE + 1, offset=(page - 1) * BATCHES_PER_PAGE)
    newer, older = pages(request, page, has_more=len(found) > BATCHES_PER_PAGE)
    shown = found[:BATCHES_PER_PAGE]
    context = {
        "section": "batches",
        "now": now,
        "banks": [_waiting_at(channel, now) for channel in banks()],
        "batches": shown,
        "names": display_names(
            user_ids={person for one in shown for person in (one.built_by, one.released_by)}
        ),
        "newer": newer,
        "older": older,
        **_rights(request),
    }
    return render(request, "console/batches/list.html", context)


@permission("batch.build")
@require_http_methods(["GET", "HEAD", "POST"])
def build(request: StaffRequest, bank_name: str) -> HttpResponse:
    """What waits for a bank, with a dry run; everything or what is ticked goes into a batch."""
    now = read_clock()
    chosen = bank(bank_name)
    legs = waiting_legs(channel=bank_name, currency=chosen.currency)
    form = BuildForm(request.POST if request.method == "POST" else None, legs=legs)
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            batch_id = build_batch(
                channel=chosen,
                leg_ids=[] if form.cleaned_data["everything"] else form.cleaned_data["legs"],
                actor=request.viewer.actor,
                now=now,
            )
        except Refusal as found:
            refusal = found
        else:
            messages.success(request, _("The batch is built. Another person must release it."))
            return HttpResponseRedirect(reverse("console:batch", args=[batch_id]))
    context = {
        "section": "batches",
        "now": now,
        "channel": bank_name,
        "legs": legs,
        "form": form,
        "refusal": refusal,
        "can_choose": len(legs) <= LEGS_CHOSEN_MAX,
        "dry_run": dry_run(chosen, legs, now=now),
    }
    status = status_of(refusal) if refusal else 422 if request.method == "POST" else 200
    return render(request, "console/batches/build.html", context, status=status)


@permission("payout.view")
@require_safe
def show(request: StaffRequest, batch_id: str) -> HttpResponse:
    """One batch with its legs."""
    return _page(request, batch(batch_id))


@permission("batch.release")
@require_POST
def release(request: StaffRequest, batch_id: str) -> HttpResponse:
    """Let a batch go, exactly as it was seen."""
    found = batch(batch_id)
    form = ReleaseForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form=form, status=422)
    try:
        execute_on = release_batch(
            channel=bank(found.channel),
            batch_id=batch_id,
            content_hash=form.cleaned_data["content_hash"],
            actor=request.viewer.actor,
            now=read_clock(),
        )
    except Refusal as refusal:
        return _page(request, batch(batch_id), refusal=refusal, form=form)
    told = _("The batch is released. The bank executes it on %(day)s.")
    messages.success(request, told % {"day": execute_on.isoformat()})
    return HttpResponseRedirect(reverse("console:batch", args=[batch_id]))


@permission("batch.build")
@require_POST
def call_off(request: StaffRequest, batch_id: str) -> HttpResponse:
    """Call a batch off before its release."""
    try:
        cancel_batch(batch_id=batch_id, actor=request.viewer.actor, now=read_clock())
    except Refusal as refusal:
        return _page(request, batch(batch_id), refusal=refusal)
    messages.success(request, _("The batch is called off. Its payouts wait for another."))
    return HttpResponseRedirect(reverse("console:batches"))


@permission("batch.carry")
@require_POST
def take_file(request: StaffRequest, batch_id: str) -> HttpResponse:
    """The released batch as a file for the bank; who took it is in the audit trail."""
    found = batch(batch_id)
    form = TakeForm(request.POST)
    if not form.is_valid():
        return _page(request, found, taking=form, status=422)
    try:
        file = make_batch_file(
            channel=bank(found.channel),
            batch_id=batch_id,
            form=BatchFormat(form.cleaned_data["form"]),
            finding=form.cleaned_data["finding"],
            actor=request.viewer.actor,
            now=read_clock(),
        )
    except Refusal as refusal:
        return _page(request, found, refusal=refusal, taking=form)
    response = HttpResponse(file.content, content_type=file.content_type)
    response["Content-Disposition"] = f'attachment; filename="{file.name}"'
    return response


def _page(
    request: StaffRequest,
    found: BatchSummary,
    *,
    refusal: Refusal | None = None,
    form: ReleaseForm | None = None,
    taking: TakeForm | None = None,
    status: int = 200,
) -> HttpResponse:
    now = read_clock()
    legs = legs_of_batch(found.batch_id)
    channel = bank(found.channel)
    is_open = found.state is BatchState.OPEN
    context = {
        "section": "batches",
        "now": now,
        "batch": found,
        "legs": legs,
        "names": display_names(user_ids={found.built_by, found.released_by}),
        "refusal": refusal,
        "form": form or ReleaseForm(initial={"content_hash": found.content_hash}),
        "is_open": is_open,
        "is_carried": channel.is_carried_by_people,
        "taking": taking or TakeForm(),
        "is_held": current_hold() is not None,
        "is_ready": found.state is BatchState.RELEASED and found.unsent_count == 0,
        "dry_run": dry_run(channel, legs, now=now) if is_open else None,
        "bars_viewer": _bars(request, found),
        **_rights(request),
    }
    return render(
        request,
        "console/batches/batch.html",
        context,
        status=status_of(refusal) if refusal else status,
    )


def _bars(request: StaffRequest, found: BatchSummary) -> str:
    """Why this person may not release it, though the role may."""
    if request.viewer.actor.id == found.built_by:
        return _("You built this batch, so another person must release it.")
    if request.viewer.actor.id in approvers_in_batch(found.batch_id):
        return _("You approved a payout in this batch, so another person must release it.")
    return ""


def _rights(request: StaffRequest) -> dict[str, bool]:
    return {
        "may_build": may(request.viewer, Permission.BATCH_BUILD, None),
        "may_release": may(request.viewer, Permission.BATCH_RELEASE, None),
        "may_carry": may(request.viewer, Permission.BATCH_CARRY, None),
        "may_bring": may(request.viewer, Permission.BANK_MESSAGE_BRING, None),
        "may_confirm": may(request.viewer, Permission.BANK_MESSAGE_CONFIRM, None),
    }


def _waiting_at(channel: BankChannel, now: dt.datetime) -> dict[str, object]:
    legs = waiting_legs(channel=channel.name, currency=channel.currency)
    count = ngettext("%(count)d payout waits", "%(count)d payouts wait", len(legs))
    return {
        "name": channel.name,
        "count": len(legs),
        "words": count % {"count": len(legs)},
        "dry_run": dry_run(channel, legs, now=now),
    }
