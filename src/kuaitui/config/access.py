"""The gate in front of all views, put together from the contexts that know the answers.

Accounts know people and roles, facts know shops, and neither knows the other; the kit's gate knows
none of them. Only here do they meet (ADR-0009).
"""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from kuaitui.accounts.queries import viewer_of
from kuaitui.accounts.rules import may
from kuaitui.accounts.types import Viewer
from kuaitui.facts.errors import ShopUnknown
from kuaitui.facts.queries import find_shop
from kuaitui.facts.types import ShopRecord
from kuaitui.interfaces.portal.views import session, system
from kuaitui.kernel.errors import Refusal
from kuaitui.kit.web import AccessGate


class AccessMiddleware(AccessGate[Viewer, ShopRecord]):
    """The gate, with kuaitui's own people, roles, shops and pages."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """As every gate; and who calls an act as a page is told that nothing was done."""
        response = super().__call__(request)
        is_bare = response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and request.method == "GET"
        if is_bare and getattr(request, "viewer", None) is not None:
            told = system.only_by_button(request)
            told.headers["Allow"] = response.headers.get("Allow", "POST")
            told.headers["Cache-Control"] = response.headers["Cache-Control"]
            return told
        return response

    def viewer_of(self, user: object) -> Viewer | None:
        """Who this user is, or nobody."""
        return viewer_of(user)

    def may(self, viewer: Viewer, permission: str, shop_key: int | None) -> bool:
        """Whether the viewer's role and shops allow it."""
        return may(viewer, permission, shop_key)

    def find_shop(self, shop_id: str) -> ShopRecord | None:
        """The shop with the marketplace's id, or nothing."""
        try:
            return find_shop(shop_id=shop_id)
        except ShopUnknown:
            return None

    def ask_to_log_in(self, request: HttpRequest) -> HttpResponseBase:
        """The log-in page, with everything typed kept."""
        return session.ask_to_log_in(request)

    def show_refusal(self, request: HttpRequest, refusal: Refusal) -> HttpResponseBase:
        """A page that says what is the matter."""
        return system.refused(request, refusal)
