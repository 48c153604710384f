"""Whom a channel has named, between the channel's page and the form that enters them.

It waits in the session, sealed, for one person and one shop, for half an hour: a form that is sent
twice is entered once and answered the same. What comes back
from a channel counts only with the mark that went there from the same session: else somebody could
have their own account named here by a link.
"""

from __future__ import annotations

import base64
import datetime as dt
import secrets
from typing import Any, Final

from kuaitui.interfaces.portal.requests import ShopRequest
from kuaitui.kit.encryption import SealBroken, Sealed, keyring

LASTS: Final = dt.timedelta(minutes=30)
_ASKED: Final = "identity_asked"
_NAMED: Final = "identity_named"


def mark_for(request: ShopRequest, *, now: dt.datetime) -> str:
    """The mark to send along. Looking at the page again, or in a second tab, makes no other."""
    asked = _read(request, _ASKED, now)
    if asked is None:
        # What WeChat takes as a state: letters and digits.
        asked = {"mark": secrets.token_hex(16)}
        _write(request, _ASKED, asked, now)
    return str(asked["mark"])


def take_mark(request: ShopRequest, mark: str, *, now: dt.datetime) -> bool:
    """Whether a mark that came back is the one that went. It counts once."""
    asked = _read(request, _ASKED, now)
    if asked is None or not secrets.compare_digest(asked["mark"].encode(), mark.encode()):
        return False
    del request.session[_ASKED]
    return True


def keep(request: ShopRequest, account_number: str, *, now: dt.datetime) -> None:
    """Let whom the channel named wait for the form."""
    sealed = keyring().seal(account_number, context=_context(request))
    content = base64.b64encode(sealed.content).decode()
    _write(request, _NAMED, {"key_id": sealed.key_id, "content": content}, now)


def named(request: ShopRequest, *, now: dt.datetime) -> str | None:
    """Whom the channel named; None: nobody, not lately, or for another shop."""
    kept = _read(request, _NAMED, now)
    if kept is None:
        return None
    sealed = Sealed(kept["key_id"], base64.b64decode(kept["content"]))
    try:
        return keyring().unseal(sealed, context=_context(request))
    except SealBroken:  # of another shop or person, or the key was rotated away meanwhile
        return None


def _write(request: ShopRequest, name: str, values: dict[str, str], now: dt.datetime) -> None:
    until = (now + LASTS).isoformat()
    request.session[name] = {**values, "until": until}


def _read(request: ShopRequest, name: str, now: dt.datetime) -> dict[str, Any] | None:
    kept = request.session.get(name)
    if kept is None or now >= dt.datetime.fromisoformat(kept["until"]):
        return None
    return dict(kept)


def _context(request: ShopRequest) -> str:
    return f"identity:{request.viewer.actor.id}:{request.shop.id}"
