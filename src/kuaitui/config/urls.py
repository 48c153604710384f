"""All addresses. Each interface brings its own table of routes."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("kuaitui.interfaces.portal.urls")),
    path("console/", include("kuaitui.interfaces.console.urls")),
]
