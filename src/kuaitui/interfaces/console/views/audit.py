"""The audit trail: who did what, the newest first, as it was recorded and chained."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kuaitui.accounts.queries import display_names
from kuaitui.audit.queries import EVENTS_MAX, AuditEvent, TrailFilters, trail
from kuaitui.facts.queries import list_shops
from kuaitui.interfaces.console import trail_words, words
from kuaitui.interfaces.console.forms import TrailForm
from kuaitui.interfaces.console.requests import StaffRequest
from kuaitui.interfaces.console.tables import trail as trail_of_pages
from kuaitui.kernel.actor import ActorKind
from kuaitui.kernel.ids import IdPrefix
from kuaitui.kernel.money import Money
from kuaitui.kit.csv_cells import neutral_cell
from kuaitui.kit.web import permission
from kuaitui.refunds.states import State

ROWS_PER_PAGE: Final = 50
FILE_ROWS_MAX: Final = 20_000
HASH_SHOWN: Final = 12
ONE_DAY: Final = dt.timedelta(days=1)
SHOP: Final = "shop:"
PAGES: Final = {
    IdPrefix.REFUND_APPLICATION: "console:case",
    IdPrefix.PAYOUT_LEG: "console:leg",
    IdPrefix.PAYOUT_BATCH: "console:batch",
    IdPrefix.SUSPENSE: "console:suspense_case",
    IdPrefix.BREAK: "console:break",
}
"""Pages of what an act was about, by the prefix of its id."""


@dataclass(frozen=True, slots=True)
class Detail:
    """Something that was recorded with an act."""

    label: str | Promise
    text: str = ""
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One act as the page shows it."""

    event: AuditEvent
    name: str | Promise
    href: str
    """The page of what it was about, if it has one."""
    who: str
    is_person: bool
    chain: str
    details: tuple[Detail, ...]

    @property
    def hash(self) -> str:
        """As much of it as a person compares."""
        return self.event.hash[:HASH_SHOWN]


@permission("audit.view")
@require_safe
def show(request: StaffRequest) -> HttpResponse:
    """What was done, narrowed by shop, object, person, sort and day."""
    form = TrailForm(request.GET)
    is_valid = form.is_valid()
    page = trail(
        filters=_filters(form.cleaned_data) if is_valid else TrailFilters(),
        after=request.GET.get("after") or None,
        limit=ROWS_PER_PAGE,
    )
    newer, older = trail_of_pages(request, page.next)
    context = {
        "section": "audit",
        "form": form,
        "rows": _rows(page.events) if is_valid else (),
        "is_filtered": any(request.GET.get(field) for field in form.fields),
        "file": f"{reverse('console:audit_file')}?{request.GET.urlencode()}",
        "file_rows_max": FILE_ROWS_MAX,
        "newer": newer,
        "older": older,
    }
    return render(request, "console/audit.html", context, status=200 if is_valid else 422)


@permission("audit.view")
@require_safe
def show_file(request: StaffRequest) -> HttpResponse:
    """The same as a CSV file, with all that is needed to check a chain without us."""
    form = TrailForm(request.GET)
    if not form.is_valid():
        return HttpResponse(status=422)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(
        [
            _("When"), _("Act"), _("About"), _("Done by"), _("Id of who did it"), _("Chain"),
            _("Number"), _("Hash"), _("As recorded"),
        ]
    )  # fmt: skip
    for events in _pages(_filters(form.cleaned_data)):
        for row in _rows(events):
            one = row.event
            when = timezone.localtime(one.at).isoformat(sep=" ", timespec="milliseconds")
            said = (str(row.name), one.object_id, row.who, one.actor_id, one.stream)
            cells = [neutral_cell(cell) for cell in said]
            writer.writerow([when, *cells, one.event_no, one.hash, one.content])
    # The mark at the beginning tells sheets that the file is UTF-8.
    response = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="audit-trail.csv"'
    return response


def _pages(filters: TrailFilters) -> Iterator[Sequence[AuditEvent]]:
    after: str | None = None
    for _number in range(FILE_ROWS_MAX // EVENTS_MAX):
        page = trail(filters=filters, after=after, limit=EVENTS_MAX)
        yield page.events
        after = page.next
        if after is None:
            return


def _filters(typed: Mapping[str, Any]) -> TrailFilters:
    return TrailFilters(
        shop_key=typed["shop"],
        object_id=typed["about"].strip(),
        actor_id=typed["who"].strip(),
        area=typed["area"],
        from_at=_midnight(typed["from_day"]),
        before_at=_midnight_after(typed["until_day"]),
    )


def _midnight(day: dt.date | None) -> dt.datetime | None:
    return timezone.make_aware(dt.datetime.combine(day, dt.time())) if day else None


def _midnight_after(day: dt.date | None) -> dt.datetime | None:
    """The end of a day; nothing for the last that there is, after which nothing comes."""
    return _midnight(day + ONE_DAY) if day and day < dt.date.max else None


def _rows(events: Sequence[AuditEvent]) -> list[Row]:
    people = {one.actor_id for one in events if one.actor_kind != ActorKind.SYSTEM}
    names = display_names(user_ids=people)
    keys = frozenset(int(one.stream.removeprefix(SHOP)) for one in events if _is_of_shop(one))
    shops = {shop.key: shop.id for shop in list_shops(shop_keys=keys, limit=max(len(keys), 1))}
    return [
        Row(
            event=one,
            name=trail_words.action_name(one.action),
            href=_page_of(one.object_id),
            who=names.get(one.actor_id, one.actor_id),
            is_person=one.actor_kind != ActorKind.SYSTEM,
            chain=_chain(one, shops),
            details=tuple(_details(one.details)),
        )
        for one in events
    ]


def _is_of_shop(event: AuditEvent) -> bool:
    return event.stream.startswith(SHOP)


def _chain(event: AuditEvent, shops: Mapping[int, str]) -> str:
    if not _is_of_shop(event):
        return _("Platform")
    key = int(event.stream.removeprefix(SHOP))
    return _("Shop %(shop)s") % {"shop": shops.get(key, key)}


def _page_of(object_id: str) -> str:
    prefix = object_id.partition("_")[0]
    name = PAGES.get(IdPrefix(prefix)) if prefix in set(IdPrefix) else None
    return reverse(name, args=[object_id]) if name else ""


def _details(said: Mapping[str, Any]) -> list[Detail]:
    currency = said.get("currency")
    found = []
    for key, value in said.items():
        name = key.removesuffix("_minor")
        label = trail_words.DETAILS.get(name, name)
        if name != key and isinstance(value, int) and isinstance(currency, str):
            found.append(Detail(label, amount=Money(value, currency)))
        elif name != key and isinstance(value, int):
            counted = _("%(what)s (smallest units)") % {"what": label}
            found.append(Detail(counted, f"{value}"))
        elif value not in (None, "", [], {}) and key != "currency":
            found.append(Detail(label, _text(key, value)))
    return found


def _text(key: str, value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_text(key, one) for one in value)
    if key in {"from", "to"} and value in set(State):
        return str(words.STATES[State(str(value))])
    return str(value)
