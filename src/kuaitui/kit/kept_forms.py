"""What somebody typed survives an expired log-in.

A form sent without a log-in is answered with the log-in page, which carries the typed fields as one
signed text; nothing is stored for strangers. After log-in they wait in the session for the page
with the form, which shows them once more. Nothing is ever submitted by itself.
"""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, QueryDict

SIGNED_TEXT_LENGTH_MAX: Final = 64 * 1024
LEFT_OUT: Final = frozenset({"csrfmiddlewaretoken", "password"})
_SALT: Final = "kuaitui.kit.kept_forms"
_SESSION_KEY: Final = "kept_form"


def pack(request: HttpRequest) -> str:
    """The typed fields and their address as one signed text; empty when there are none or too many."""
    fields = {name: request.POST.getlist(name) for name in request.POST if name not in LEFT_OUT}
    if not fields:
        return ""
    text = signing.dumps([request.path, fields], salt=_SALT, compress=True)
    return text if len(text) <= SIGNED_TEXT_LENGTH_MAX else ""


def unpack(request: HttpRequest, text: str) -> str | None:
    """Put packed fields into the session; gives back the address of their form.

    Nothing when the text is not ours, too old or altered.
    """
    if not text or len(text) > SIGNED_TEXT_LENGTH_MAX:
        return None
    try:
        path, fields = signing.loads(text, salt=_SALT, max_age=settings.SESSION_COOKIE_AGE)
    except signing.BadSignature:
        return None
    request.session[_SESSION_KEY] = [path, fields]
    return str(path)


def keep_in_session(request: HttpRequest) -> None:
    """Keep the fields of this very request for the next look at its form."""
    unpack(request, pack(request))


def take(request: HttpRequest) -> QueryDict | None:
    """The fields kept for this address, once; nothing if there are none."""
    kept = request.session.get(_SESSION_KEY)
    if kept is None or kept[0] != request.path:
        return None
    del request.session[_SESSION_KEY]
    fields = QueryDict(mutable=True)
    for name, values in kept[1].items():
        fields.setlist(name, values)
    return fields
