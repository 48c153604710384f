"""The policy in force, and the one an application was made under."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

from django.conf import settings

from kuaitui.policy.packs import pack_source, parse_pack
from kuaitui.policy.terms import Terms
from kuaitui.refunds.models import PolicyVersion, RefundApplication


def terms_in_force() -> Terms:
    """The terms new applications are made under.

    Raises:
        PackUnknown, PackInvalid: the installation names no usable pack.
    """
    return _parse(pack_source(settings.KUAITUI_POLICY_PACK))


def terms_of(row: RefundApplication) -> Terms:
    """The terms frozen into an application, or those in force while it is a draft."""
    if row.policy is None:
        return terms_in_force()
    return _parse(row.policy.source.encode())


def keep_terms_in_force(*, now: dt.datetime) -> Terms:
    """The terms in force, kept word for word under their digest for what is promised by them."""
    return keep_terms(now=now)[0]


def terms_kept(digest: str) -> Terms:
    """The terms that were kept under a digest."""
    return _parse(PolicyVersion.objects.get(digest=digest).source.encode())


def keep_terms(*, now: dt.datetime) -> tuple[Terms, PolicyVersion]:
    """The terms in force, with their exact text kept beside the applications made under it."""
    source = pack_source(settings.KUAITUI_POLICY_PACK)
    terms = _parse(source)
    kept, _ = PolicyVersion.objects.get_or_create(
        digest=terms.digest,
        defaults={
            "pack": terms.pack,
            "version": terms.version,
            "source": source.decode(),
            "first_used_at": now,
        },
    )
    return terms, kept


@lru_cache(maxsize=32)
def _parse(source: bytes) -> Terms:
    return parse_pack(source)
