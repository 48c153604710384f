"""Django's system checks of our own."""

from __future__ import annotations

from collections.abc import Sequence

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register
from django.urls import get_resolver

from kuaitui.kit.web import access_of, routes


@register
def every_view_declares_its_access(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001
    **_options: object,
) -> list[CheckMessage]:
    """Every view behind every route says who may open it."""
    return [
        Error(
            f"/{route.pattern} declares no permission, so nobody can open it.",
            hint="Mark the view with @permission(...), @public or @probe from kuaitui.kit.web.",
            id="kit.E001",
        )
        for route in routes(get_resolver().url_patterns)
        if access_of(route.view) is None
    ]
