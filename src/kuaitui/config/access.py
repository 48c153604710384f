"""The gate in front of all views, put together from the contexts that know the answers.

Accounts know people and roles, facts know shops, and neither knows the other; the kit's gate knows
none of them. Only here do they meet (ADR-0009).
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

from kuaitui.accounts.queries import viewer_of
from kuaitui.accounts.rules import may
from kuaitui.accounts.types import Viewer
from kuaitui.interfaces.portal.views import session, system
from kuaitui.kernel.errors import Refusal, RefusalKind
from kuaitui.kit.web import AccessGate, Shop


class AccessMiddleware(AccessGate[Viewer, Shop]):
    """The gate, with kuaitui's own people, roles, shops and pages."""

    def viewer_of(self, user: object) -> Viewer | None:
        """Who this user is, or nobody."""
        return viewer_of(user)

    def may(self, viewer: Viewer, permission: str, shop_key: int | None) -> bool:
        """Whether the viewer's role and shops allow it."""
        return may(viewer, permission, shop_key)

    def find_shop(self, shop_id: str) -> Shop | None:
        """The shop with the marketplace's id, or nothing."""
        find: Callable[..., Shop] = import_string("kuaitui.facts.queries.find_shop")
        try:
            return find(shop_id=shop_id)
        except Refusal as refusal:
            if refusal.kind is not RefusalKind.NOT_FOUND:
                raise
            return None

    def ask_to_log_in(self, request: HttpRequest) -> HttpResponseBase:
        """The log-in page, with everything typed kept."""
        return session.ask_to_log_in(request)

    def show_refusal(self, request: HttpRequest, refusal: Refusal) -> HttpResponseBase:
        """A page that says what is the matter."""
        return system.refused(request, refusal)
