"""What somebody typed survives an expired log-in, and comes back to nobody else.

A form carries a mark of the person it was shown to. When it is sent without a log-in, or too late
for its protection against forgery, its fields wait in the session, sealed, until the same person
looks at the same form again. Nothing is ever submitted by itself, nothing is kept for strangers,
and whoever logs in instead of that person never sees it.
"""

from __future__ import annotations

import base64
import json
from typing import Final

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, QueryDict

from kuaitui.kit.encryption import SealBroken, Sealed, keyring

LENGTH_MAX: Final = 64 * 1024
MARK_FIELD: Final = "shown_to"
LEFT_OUT: Final = frozenset({"csrfmiddlewaretoken", "password", MARK_FIELD})
_SALT: Final = "kuaitui.kit.kept_forms"
_SESSION_KEY: Final = "kept_form"


def mark_for(person_id: str) -> str:
    """A mark that a form was shown to this person; goes into the form as a hidden field."""
    return signing.TimestampSigner(salt=_SALT).sign(person_id)


def keep_marked(request: HttpRequest) -> bool:
    """Keep the fields if the form was shown to one of our people; says whether it did."""
    person_id = _marked_person(request)
    fields = {name: request.POST.getlist(name) for name in request.POST if name not in LEFT_OUT}
    text = json.dumps(fields, ensure_ascii=False)
    if not (person_id and fields) or len(text) > LENGTH_MAX:
        return False
    # The fields may hold an account number: the table of sessions gets them sealed.
    sealed = keyring().seal(text, context=_context(request.path, person_id))
    content = base64.b64encode(sealed.content).decode()
    request.session[_SESSION_KEY] = [request.path, person_id, sealed.key_id, content]
    return True


def keep_own(request: HttpRequest) -> bool:
    """Keep the fields if the form was shown to the person who now sends it."""
    person_id = _person_of(request)
    return bool(person_id) and _marked_person(request) == person_id and keep_marked(request)


def claim(request: HttpRequest) -> str | None:
    """The address of the form whose fields wait for whoever has just logged in.

    Fields that wait for anybody else are forgotten.
    """
    kept = request.session.get(_SESSION_KEY)
    if kept is None:
        return None
    if kept[1] != _person_of(request):
        del request.session[_SESSION_KEY]
        return None
    return str(kept[0])


def take(request: HttpRequest) -> QueryDict | None:
    """The fields kept for this address and this person, once; nothing if there are none."""
    if claim(request) != request.path:
        return None
    path, person_id, key_id, content = request.session.pop(_SESSION_KEY)
    try:
        sealed = Sealed(key_id, base64.b64decode(content))
        typed = json.loads(keyring().unseal(sealed, context=_context(path, person_id)))
    except SealBroken:  # the key was rotated away meanwhile
        return None
    fields = QueryDict(mutable=True)
    for name, values in typed.items():
        fields.setlist(name, values)
    return fields


def _context(path: str, person_id: str) -> str:
    return f"kept_form:{person_id}:{path}"


def _marked_person(request: HttpRequest) -> str:
    mark = request.POST.get(MARK_FIELD, "")
    try:
        signer = signing.TimestampSigner(salt=_SALT)
        return signer.unsign(mark, max_age=2 * settings.SESSION_COOKIE_AGE)
    except signing.BadSignature:
        return ""


def _person_of(request: HttpRequest) -> str:
    return str(getattr(getattr(request, "user", None), "public_id", ""))
