"""Pages for what goes wrong: refused, not found, out of date, broken."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from kuaitui.kernel.errors import Refusal
from kuaitui.kit.web import status_of


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    """The form was too old or came from elsewhere; nothing was changed."""
    return HttpResponse("This form is out of date. Go back, reload and send it again.", status=403)


def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """A request that cannot be granted: what is the matter, and what to do."""
    return render(request, "system/refused.html", {"refusal": refusal}, status=status_of(refusal))
