"""What somebody typed survives an expired log-in, and comes back to nobody else.

A form carries a mark of the person it was shown to. Sent without a log-in, it is answered with the
log-in page, which carries the typed fields as one signed text; a marked form also waits in the
session, so that a one-time link works as well as a password. After log-in the fields wait for the
page with the form, which shows them once more, to the person of the mark only. Nothing is ever
submitted by itself, and nothing is stored for strangers.
"""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, QueryDict

SIGNED_TEXT_LENGTH_MAX: Final = 64 * 1024
MARK_FIELD: Final = "shown_to"
LEFT_OUT: Final = frozenset({"csrfmiddlewaretoken", "password", MARK_FIELD})
_SALT: Final = "kuaitui.kit.kept_forms"
_MARK_SALT: Final = "kuaitui.kit.kept_forms.mark"
_SESSION_KEY: Final = "kept_form"


def mark_for(person_id: str) -> str:
    """A mark that a form was shown to this person; goes into the form as a hidden field."""
    return signing.TimestampSigner(salt=_MARK_SALT).sign(person_id)


def pack(request: HttpRequest) -> str:
    """The typed fields and their address as one signed text; empty when there are none or too many."""
    fields = {name: request.POST.getlist(name) for name in request.POST if name not in LEFT_OUT}
    if not fields:
        return ""
    kept = [request.path, fields, _marked_person(request)]
    text = signing.dumps(kept, salt=_SALT, compress=True)
    return text if len(text) <= SIGNED_TEXT_LENGTH_MAX else ""


def unpack(request: HttpRequest, text: str) -> str | None:
    """Put packed fields into the session; gives back the address of their form.

    Nothing when the text is not ours, too old or altered.
    """
    if not text or len(text) > SIGNED_TEXT_LENGTH_MAX:
        return None
    try:
        kept = signing.loads(text, salt=_SALT, max_age=settings.SESSION_COOKIE_AGE)
    except signing.BadSignature:
        return None
    request.session[_SESSION_KEY] = kept
    return str(kept[0])


def keep_in_session(request: HttpRequest) -> None:
    """Keep the fields of this very request for the next look at its form."""
    unpack(request, pack(request))


def keep_marked(request: HttpRequest) -> bool:
    """Keep the fields if the form was shown to one of our people; says whether it did."""
    if not _marked_person(request):
        return False
    keep_in_session(request)
    return True


def keep_own(request: HttpRequest) -> bool:
    """Keep the fields if the form was shown to the person who now sends it."""
    person_id = _person_of(request)
    return bool(person_id) and _marked_person(request) == person_id and keep_marked(request)


def waiting_path(request: HttpRequest) -> str | None:
    """The address of the form whose fields wait for this person, if any do."""
    kept = request.session.get(_SESSION_KEY)
    return str(kept[0]) if kept and kept[2] and kept[2] == _person_of(request) else None


def take(request: HttpRequest) -> QueryDict | None:
    """The fields kept for this address and this person, once; nothing if there are none.

    Fields that wait for somebody else are forgotten.
    """
    kept = request.session.get(_SESSION_KEY)
    if kept is None or kept[0] != request.path:
        return None
    del request.session[_SESSION_KEY]
    if kept[2] and kept[2] != _person_of(request):
        return None
    fields = QueryDict(mutable=True)
    for name, values in kept[1].items():
        fields.setlist(name, values)
    return fields


def _marked_person(request: HttpRequest) -> str:
    signer = signing.TimestampSigner(salt=_MARK_SALT)
    try:
        mark = request.POST.get(MARK_FIELD, "")
        return signer.unsign(mark, max_age=2 * settings.SESSION_COOKIE_AGE)
    except signing.BadSignature:
        return ""


def _person_of(request: HttpRequest) -> str:
    return str(getattr(getattr(request, "user", None), "public_id", ""))
