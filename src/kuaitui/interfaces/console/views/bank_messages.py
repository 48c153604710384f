"""What banks wrote: brought by one person, looked at and confirmed by another.

A file moves nothing by itself. Once it counts, the payouts it names are asked about, and what they
become is decided as ever.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kuaitui.accounts.queries import display_names
from kuaitui.accounts.rules import Permission, may
from kuaitui.interfaces.console.banks import bank, banks
from kuaitui.interfaces.console.batch_forms import BringForm
from kuaitui.interfaces.console.requests import StaffRequest
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal
from kuaitui.kit.web import permission, status_of
from kuaitui.payouts.errors import MessageUnknown
from kuaitui.payouts.operations import bring_message, confirm_message
from kuaitui.payouts.queries import MessageInList, bank_message, bank_messages, words_of_message


@permission("payout.view")
@require_safe
def show_all(request: StaffRequest) -> HttpResponse:
    """The newest messages of all banks."""
    found = bank_messages(limit=100)
    context = {
        "section": "bank_messages",
        "now": read_clock(),
        "bank_messages": found,
        "names": display_names(
            user_ids={person for one in found for person in (one.source, one.confirmed_by)}
        ),
        "may_bring": may(request.viewer, Permission.BANK_MESSAGE_BRING, None),
    }
    return render(request, "console/batches/messages.html", context)


@permission("bank_message.bring")
@require_http_methods(["GET", "HEAD", "POST"])
def bring(request: StaffRequest) -> HttpResponse:
    """Bring a file of a bank's results or statement."""
    choices = [channel.name for channel in banks()]
    is_sent = request.method == "POST"
    form = BringForm(
        request.POST if is_sent else None, request.FILES if is_sent else None, channels=choices
    )
    refusal = None
    if is_sent and form.is_valid():
        try:
            taken = bring_message(
                channel=bank(form.cleaned_data["channel"]),
                content=form.cleaned_data["file"].read(),
                actor=request.viewer.actor,
                now=read_clock(),
            )
        except Refusal as found:
            refusal = found
        else:
            if not taken.is_new:
                messages.info(request, _("This file was taken in before. Nothing has changed."))
            return HttpResponseRedirect(reverse("console:bank_message", args=[taken.message_no]))
    context = {"section": "bank_messages", "form": form, "refusal": refusal}
    status = status_of(refusal) if refusal else 422 if is_sent else 200
    return render(request, "console/batches/bring.html", context, status=status)


@permission("payout.view")
@require_safe
def show(request: StaffRequest, message_no: int) -> HttpResponse:
    """One message: what it says, or why it was refused."""
    return _page(request, _find(message_no))


@permission("bank_message.confirm")
@require_POST
def confirm(request: StaffRequest, message_no: int) -> HttpResponse:
    """Let a brought file count."""
    try:
        confirm_message(message_no=message_no, actor=request.viewer.actor, now=read_clock())
    except MessageUnknown:
        raise
    except Refusal as refusal:
        return _page(request, _find(message_no), refusal=refusal)
    messages.success(request, _("The file counts now. The payouts it names are being asked about."))
    return HttpResponseRedirect(reverse("console:bank_message", args=[message_no]))


def _page(
    request: StaffRequest, found: MessageInList, *, refusal: Refusal | None = None
) -> HttpResponse:
    context = {
        "section": "bank_messages",
        "now": read_clock(),
        "message": found,
        "said": words_of_message(found.message_no),
        "names": display_names(user_ids={found.source, found.confirmed_by}),
        "refusal": refusal,
        "is_own": found.source == request.viewer.actor.id,
        "may_confirm": may(request.viewer, Permission.BANK_MESSAGE_CONFIRM, None),
    }
    status = status_of(refusal) if refusal else 200
    return render(request, "console/batches/message.html", context, status=status)


def _find(message_no: int) -> MessageInList:
    found = bank_message(message_no)
    if found is None:
        raise MessageUnknown(message=message_no)
    return found
