"""The bench where bills are compared: a board of days, one day, and files that people bring."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from kuaitui.accounts.rules import Permission, may
from kuaitui.channels.registry import Channels, ChannelUnknown, build_channels
from kuaitui.interfaces.console.bill_forms import DecideFileForm, ImportForm
from kuaitui.interfaces.console.requests import StaffRequest
from kuaitui.interfaces.console.tables import Tile
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal
from kuaitui.kit.web import permission, status_of
from kuaitui.reconciliation.errors import BillDayNotOver, BillTooLarge, DayUnknown
from kuaitui.reconciliation.operations import (
    Plan,
    bring_file,
    compare_bill,
    decide_file,
    stop_for_breaks,
)
from kuaitui.reconciliation.operations.bring import FILE_BYTES_MAX
from kuaitui.reconciliation.queries import (
    DayReport,
    bills_given,
    board,
    breaks_of_day,
    day_report,
    file_record,
    files_of_day,
    open_breaks,
)
from kuaitui.reconciliation.types import BreakState, DayState, ReadingState, Source

DAYS_ON_BOARD: Final = 14
ONE_DAY: Final = dt.timedelta(days=1)
FIRST_DAY: Final = dt.date(2000, 1, 1)


@permission("reconciliation.view")
@require_safe
def show_board(request: StaffRequest) -> HttpResponse:
    """Days and channels, and every open break, the oldest first."""
    now, channels = read_clock(), _channels()
    last = _today(now) - ONE_DAY
    asked = request.GET.get("to", "")
    to = min(_day(asked), last) if asked else last
    given = bills_given(channels)
    first = to - (DAYS_ON_BOARD - 1) * ONE_DAY
    reports = board(needed=given, first=first, last=to)
    found = open_breaks()
    context = {
        "section": "bills",
        "now": now,
        "channels": list(given),
        "days": _by_day(reports),
        "yesterday": [
            day_report(channel=channel, day=last, needed=kinds) for channel, kinds in given.items()
        ],
        "tiles": _tiles(reports, found),
        "breaks": found,
        "older": f"?to={first - ONE_DAY}" if first > FIRST_DAY + DAYS_ON_BOARD * ONE_DAY else "",
        "newer": f"?to={min(to + DAYS_ON_BOARD * ONE_DAY, last)}" if to < last else "",
        **_rights(request),
    }
    return render(request, "console/bills/board.html", context)


@permission("reconciliation.view")
@require_safe
def show_day(request: StaffRequest, channel: str, day: str) -> HttpResponse:
    """One day of one channel: its bills, its breaks, its files."""
    given = bills_given(_channels())
    if channel not in given:
        raise ChannelUnknown(channel=channel[:40])
    which = _day(day)
    context = {
        "section": "bills",
        "now": read_clock(),
        "report": day_report(channel=channel, day=which, needed=given[channel]),
        "breaks": breaks_of_day(channel=channel, day=which),
        "files": files_of_day(channel=channel, day=which),
        **_rights(request),
    }
    return render(request, "console/bills/day.html", context)


@permission("reconciliation.bring")
@require_http_methods(["GET", "HEAD", "POST"])
def bring(request: StaffRequest) -> HttpResponse:
    """Bring a bill from a file, and compare it. A refused one is kept with its reason and line."""
    channels = _channels()
    given = bills_given(channels)
    yesterday = _today(read_clock()) - ONE_DAY
    initial = {"channel": request.GET.get("channel", ""), "day": yesterday}
    if request.GET.get("day"):
        initial["day"] = _day(request.GET["day"])
    is_sent = request.method == "POST"
    form = ImportForm(
        request.POST if is_sent else None,
        request.FILES if is_sent else None,
        channels=given,
        initial=initial,
    )
    refusal = brought = None
    if is_sent and form.is_valid():
        try:
            brought = _bring(request, form, channels)
        except Refusal as found:
            refusal = found
    if brought is not None and brought.state is not ReadingState.REFUSED:
        say = messages.success if brought.is_taken else messages.info
        say(request, _told(is_new=brought.is_new, is_taken=brought.is_taken))
        values = form.cleaned_data
        return HttpResponseRedirect(
            reverse("console:bill_day", args=[values["channel"], values["day"].isoformat()])
        )
    context = {"section": "bills", "form": form, "refusal": refusal, "brought": brought}
    status = status_of(refusal) if refusal else 422 if is_sent else 200
    return render(request, "console/bills/import.html", context, status=status)


@permission("reconciliation.bring")
@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: StaffRequest, file_id: str) -> HttpResponse:
    """Take another file of a day to be compared, or put it aside."""
    now, file = read_clock(), file_record(file_id)
    form = DecideFileForm(request.POST if request.method == "POST" else None)
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            decide_file(
                file_id=file_id,
                is_taken=form.cleaned_data["choice"] == "take",
                reason=form.cleaned_data["reason"],
                actor=request.viewer.actor,
                now=now,
            )
            _compare(file.channel, file.bill, file.day, now)
        except Refusal as found:
            refusal = found
        else:
            messages.success(request, _("Decided, and compared."))
            return HttpResponseRedirect(
                reverse("console:bill_day", args=[file.channel, file.day.isoformat()])
            )
    context = {"section": "bills", "form": form, "file": file, "refusal": refusal}
    status = status_of(refusal) if refusal else 422 if request.method == "POST" else 200
    return render(request, "console/bills/decide.html", context, status=status)


def _bring(request: StaffRequest, form: ImportForm, channels: Channels) -> Any:  # noqa: ANN401
    now, values = read_clock(), form.cleaned_data
    if values["file"].size > FILE_BYTES_MAX:
        raise BillTooLarge(bytes=values["file"].size)
    if values["day"] >= _today(now):
        raise BillDayNotOver(day=values["day"].isoformat())
    brought = bring_file(
        channel=values["channel"],
        reader=channels.stating(values["channel"]),
        bill=form.kind,
        day=values["day"],
        content=values["file"].read(),
        file_name=values["file"].name,
        source=Source.IMPORTED,
        actor=request.viewer.actor,
        now=now,
    )
    if brought.is_taken:
        _compare(values["channel"], form.kind, values["day"], now)
    return brought


def _compare(channel: str, bill: Any, day: dt.date, now: dt.datetime) -> None:  # noqa: ANN401
    plan = Plan.parse(settings.KUAITUI_BILLS)
    compare_bill(channel=channel, bill=bill, day=day, zone=plan.zone, today=_today(now), now=now)
    stop_for_breaks(now=now)


def _told(*, is_new: bool, is_taken: bool) -> str:
    if not is_new:
        return _("This very file is here already. Nothing has changed.")
    if is_taken:
        return _("The bill is kept and compared.")
    return _("The file is kept. The day has another one: look at both, and decide.")


def _channels() -> Channels:
    return build_channels(settings.KUAITUI_CHANNELS, clock=read_clock)


def _today(now: dt.datetime) -> dt.date:
    return now.astimezone(Plan.parse(settings.KUAITUI_BILLS).zone).date()


def _day(text: str) -> dt.date:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise DayUnknown(day=text[:20]) from None
    if day < FIRST_DAY:
        raise DayUnknown(day=text[:20])
    return day


def _by_day(reports: tuple[DayReport, ...]) -> list[tuple[dt.date, list[DayReport]]]:
    days: dict[dt.date, list[DayReport]] = {}
    for report in reports:
        days.setdefault(report.day, []).append(report)
    return list(days.items())


def _tiles(reports: tuple[DayReport, ...], found: Any) -> list[Tile]:  # noqa: ANN401
    proposed = sum(one.state is BreakState.PROPOSED for one in found)
    late = sum(report.is_late for report in reports)
    waiting = sum(report.waiting_files for report in reports)
    proven = sum(report.state is DayState.PROVEN for report in reports)
    return [
        Tile(_("Open differences"), len(found), "#breaks", "act" if found else ""),
        Tile(_("Wait for confirmation"), proposed, "#breaks", "act" if proposed else ""),
        Tile(_("Late bills"), late, "", "bad" if late else ""),
        Tile(_("Files to look at"), waiting, "", "act" if waiting else ""),
        Tile(_("Days proven"), proven, "", "", _("of %(count)d shown") % {"count": len(reports)}),
    ]


def _rights(request: StaffRequest) -> dict[str, bool]:
    return {
        "may_bring": may(request.viewer, Permission.RECONCILIATION_BRING, None),
        "may_propose": may(request.viewer, Permission.RECONCILIATION_PROPOSE, None),
        "may_confirm": may(request.viewer, Permission.RECONCILIATION_CONFIRM, None),
    }
