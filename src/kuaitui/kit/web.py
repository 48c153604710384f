"""Who may open a view, and how a refusal becomes an answer over HTTP.

Every view says what it needs: `@permission("deposit.view")`, `@public` or `@probe`. One gate in
front of all views asks and decides; a view that says nothing stays shut. The kit knows no roles and
no shops: the composition root gives the gate the functions that do (`kuaitui.config.access`).
"""

from __future__ import annotations

import ipaddress
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar, cast
from urllib.parse import unquote

import structlog
from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver

from kuaitui.kernel.errors import Refusal, RefusalKind

logger = structlog.get_logger(__name__)

SHOP_ID_LENGTH_MAX: Final = 128
View = TypeVar("View", bound=Callable[..., HttpResponseBase])


@dataclass(frozen=True, slots=True)
class Access:
    """What a view declares: a permission, or that it is open to all; a probe asks no session."""

    permission: str | None
    is_probe: bool = False


def permission(name: str) -> Callable[[View], View]:
    """Mark a view: open only to those who hold this permission (for the shop in its address)."""
    return _marker(Access(name))


def public(view: View) -> View:
    """Mark a view: open to everybody, logged in or not."""
    return _marker(Access(None))(view)


def probe(view: View) -> View:
    """Mark a view: open to everybody, and answers without looking at sessions or the database."""
    return _marker(Access(None, is_probe=True))(view)


def access_of(view: Callable[..., Any]) -> Access | None:
    """What the view declares, or nothing."""
    declared: Access | None = getattr(view, "kuaitui_access", None)
    return declared


def _marker(access: Access) -> Callable[[View], View]:
    def mark(view: View) -> View:
        view.kuaitui_access = access  # type: ignore[attr-defined]
        return view

    return mark


@dataclass(frozen=True, slots=True)
class Route:
    """One address pattern and the view behind it."""

    pattern: str
    name: str | None
    view: Callable[..., HttpResponseBase]
    argument_names: tuple[str, ...]


def routes(patterns: Sequence[URLPattern | URLResolver], prefix: str = "") -> Iterator[Route]:
    """Every route below these patterns."""
    for entry in patterns:
        path = f"{prefix}{entry.pattern}"
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, path)
        else:
            yield Route(path, entry.name, entry.callback, tuple(entry.pattern.converters))


class Person(Protocol):
    """Whoever looks, as far as the gate knows one."""

    @property
    def public_id(self) -> str:
        """What logs call the person."""


class Shop(Protocol):
    """A shop, as far as the gate knows one."""

    @property
    def key(self) -> int:
        """What decisions call the shop."""


class GuardedRequest(HttpRequest):
    """A request after the gate. Interfaces refine the types of `viewer` and `shop`."""

    viewer: object
    shop: object


PersonT = TypeVar("PersonT", bound=Person)
ShopT = TypeVar("ShopT", bound=Shop)


class AccessGate(ABC, Generic[PersonT, ShopT]):
    """Middleware: the one place that decides who may open which view of which shop.

    Sets `request.viewer` and, when the address names a shop, `request.shop`. Nobody logged in is
    asked to log in. A shop that is foreign and one that does not exist get the same 404, so nobody
    learns which shops exist. A permission that is missing gets 403. Nothing that passed the gate is
    stored by browsers or proxies.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    @abstractmethod
    def viewer_of(self, user: object) -> PersonT | None:
        """Who this user is, or nobody."""

    @abstractmethod
    def may(self, viewer: PersonT, permission: str, shop_key: int | None) -> bool:
        """Whether the viewer holds the permission (for that shop)."""

    @abstractmethod
    def find_shop(self, shop_id: str) -> ShopT | None:
        """The shop with the marketplace's id, or nothing."""

    @abstractmethod
    def ask_to_log_in(self, request: HttpRequest) -> HttpResponseBase:
        """The answer to somebody who is not logged in."""

    @abstractmethod
    def show_refusal(self, request: HttpRequest, refusal: Refusal) -> HttpResponseBase:
        """The page for a refusal that no view answered itself."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Open every request as nobody's; keep its answer out of every store."""
        guarded = cast("GuardedRequest", request)
        guarded.viewer = guarded.shop = None
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponseBase],
        _arguments: Sequence[object],
        named: dict[str, Any],
    ) -> HttpResponseBase | None:
        """Decide; nothing means: come in."""
        access = access_of(view)
        if access is None:
            logger.error("access.view_undeclared", view=f"{view.__module__}.{view.__qualname__}")
            raise Http404
        _refuse_zero_characters(request, named)
        if access.is_probe:
            return None
        guarded = cast("GuardedRequest", request)
        guarded.viewer = viewer = self.viewer_of(request.user)
        if viewer is not None:
            structlog.contextvars.bind_contextvars(viewer=viewer.public_id)
        if access.permission is None:
            return None
        if viewer is None:
            return self.ask_to_log_in(request)
        guarded.shop = self._decide(viewer, access.permission, named)
        return None

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        """Answer a refusal that left a view; anything else is not ours."""
        if isinstance(exception, Refusal):
            return self.show_refusal(request, exception)
        return None

    def _decide(self, viewer: PersonT, permission: str, named: dict[str, Any]) -> ShopT | None:
        if "shop_id" not in named:
            if not self.may(viewer, permission, None):
                logger.warning("access.refused", permission=permission)
                raise PermissionDenied
            return None
        shop = self._shop(named["shop_id"])
        if shop is None or not self.may(viewer, permission, shop.key):
            logger.warning("access.refused", permission=permission, shop_is_known=shop is not None)
            raise Http404
        return shop

    def _shop(self, shop_id: str) -> ShopT | None:
        return self.find_shop(shop_id) if len(shop_id) <= SHOP_ID_LENGTH_MAX else None


def visitor_address(request: HttpRequest) -> str | None:
    """The IP address of whoever asks; None if there is none that can be read.

    Behind a proxy of our own (`KUAITUI_BEHIND_PROXY`) it is the last one in `X-Forwarded-For`, which
    that proxy wrote: those before it are a visitor's own words. A proxy that writes none leaves us
    its own address.
    """
    seen = request.META.get("REMOTE_ADDR", "")
    if settings.SECURE_PROXY_SSL_HEADER is not None:
        seen = request.headers.get("X-Forwarded-For", seen).rpartition(",")[2].strip()
    try:
        return str(ipaddress.ip_address(seen))
    except ValueError:
        return None


def _refuse_zero_characters(request: HttpRequest, named: dict[str, Any]) -> None:
    """PostgreSQL holds no zero character in a text, so nothing that contains one can be found.

    Forms say so themselves; ids in the address and lists' parameters go straight into queries.
    """
    if any("\0" in value for value in named.values() if isinstance(value, str)):
        raise Http404
    if "\0" in unquote(request.META.get("QUERY_STRING", "")):
        raise BadRequest("a zero character in the query")


_STATUS: Final = {
    RefusalKind.INVALID: 422,
    RefusalKind.NOT_FOUND: 404,
    RefusalKind.FORBIDDEN: 403,
    RefusalKind.CONFLICT: 409,
    RefusalKind.LIMIT: 422,
    RefusalKind.UNAVAILABLE: 503,
}


def status_of(refusal: Refusal) -> int:
    """The HTTP status of a refusal, decided here once for all interfaces.

    A limit that passes with time says so with a detail `retry_after_s` and is 429; one that only a
    smaller request can meet is 422.
    """
    if refusal.kind is RefusalKind.LIMIT and "retry_after_s" in refusal.details:
        return 429
    return _STATUS[refusal.kind]
