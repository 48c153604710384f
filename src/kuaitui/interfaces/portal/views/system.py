"""Pages for what goes wrong: refused, not found, out of date, broken."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    """The form was too old or came from elsewhere; nothing was changed."""
    return HttpResponse("This form is out of date. Go back, reload and send it again.", status=403)
