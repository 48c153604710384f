"""Pages for what goes wrong: refused, not found, out of date, broken.

Each says what happened, what it means for the money and what to do, and never only a code.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from kuaitui.interfaces.portal.refusals import in_words
from kuaitui.kernel.errors import Refusal
from kuaitui.kit import kept_forms
from kuaitui.kit.web import status_of

UNTOUCHED = _("Your deposit is untouched; nothing has been changed.")


@dataclass(frozen=True, slots=True)
class Words:
    """What a page of this sort says."""

    symbol: str
    heading: str | Promise
    what: str | Promise
    money: str | Promise = UNTOUCHED
    offers_again: bool = False


BAD_REQUEST = Words(
    "alert",
    _("We could not read this request"),
    _("Something in the address or the form was not as it should be. Go back and try once more."),
)
FORBIDDEN = Words(
    "lock",
    _("This page is not open to you"),
    _("Your log-in may not see or do this. If you need it, ask the marketplace’s seller service."),
)
NOT_FOUND = Words(
    "search",
    _("There is no such page"),
    _("The address may be incomplete, or it belongs to a shop you do not look after."),
)
CONFLICT = Words(
    "return",
    _("The state has changed in the meantime"),
    _("Somebody, or you in another window, was faster. Load the page to see how things stand."),
    offers_again=True,
)
LIMITED = Words(
    "clock",
    _("That was a lot at once"),
    _("Wait a minute, then try again."),
    offers_again=True,
)
BROKEN = Words(
    "alert",
    _("Something broke on our side"),
    _("That is our fault, not yours. We have been told. Try again in a few minutes."),
    _("Whatever was under way was either finished or not begun: no money is ever half-moved."),
    offers_again=True,
)
UNAVAILABLE = Words(
    "pause",
    _("This does not work at the moment"),
    _("A part we depend on does not answer. Try again in a few minutes."),
    offers_again=True,
)
CANNOT = Words("info", _("This cannot be done"), "")
OUT_OF_DATE = Words(
    "clock",
    _("This form is out of date"),
    _("It was open for long, or you have logged in again since. Load the page and send it again."),
    offers_again=True,
)

NOT_DONE = Words(
    "info",
    _("Nothing has been done yet"),
    _(
        "You have logged in again since you pressed the button. Go back to its page and press it again."
    ),
)

_BY_STATUS = {
    HTTPStatus.FORBIDDEN: FORBIDDEN,
    HTTPStatus.NOT_FOUND: NOT_FOUND,
    HTTPStatus.CONFLICT: CONFLICT,
    HTTPStatus.TOO_MANY_REQUESTS: LIMITED,
    HTTPStatus.SERVICE_UNAVAILABLE: UNAVAILABLE,
}


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    """The form was too old or came from elsewhere; nothing was changed.

    Our own form, sent by the person who opened it, is shown again with everything typed.
    """
    if kept_forms.keep_own(request):
        return HttpResponseRedirect(request.path)
    return _page(request, OUT_OF_DATE, HTTPStatus.FORBIDDEN)


def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """A request that cannot be granted: what is the matter, and what to do."""
    status = HTTPStatus(status_of(refusal))
    words = _BY_STATUS.get(status, CANNOT)
    return _page(request, words, status, what=in_words(refusal))


def only_by_button(request: HttpRequest) -> HttpResponse:
    """An act was called as a page, as after a log-in in its midst: it has not happened."""
    return _page(request, NOT_DONE, HTTPStatus.METHOD_NOT_ALLOWED)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """The request itself is malformed."""
    return _page(request, BAD_REQUEST, HTTPStatus.BAD_REQUEST)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Logged in, but not with the right to this."""
    return _page(request, FORBIDDEN, HTTPStatus.FORBIDDEN)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """No such page, or none for this person: the two look the same."""
    return _page(request, NOT_FOUND, HTTPStatus.NOT_FOUND)


def broken(request: HttpRequest) -> HttpResponse:
    """A fault of ours, with the number under which the log tells more."""
    # Drawn without the request: who is logged in may be the very thing that cannot be found out.
    page = render_to_string("system/page.html", _context(request, BROKEN))
    return HttpResponse(page, status=HTTPStatus.INTERNAL_SERVER_ERROR)


def _page(
    request: HttpRequest, words: Words, status: HTTPStatus, *, what: str | Promise = ""
) -> HttpResponse:
    context = _context(request, words) | ({"what": what} if what else {})
    return render(request, "system/page.html", context, status=status)


def _context(request: HttpRequest, words: Words) -> dict[str, object]:
    return {
        "symbol": words.symbol,
        "heading": words.heading,
        "what": words.what,
        "money": words.money,
        "again": request.get_full_path() if words.offers_again else "",
        "request_id": request.META.get("KUAITUI_REQUEST_ID", ""),
    }
