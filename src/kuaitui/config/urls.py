"""All addresses. Each interface brings its own table of routes."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("kuaitui.interfaces.portal.urls")),
    path("console/", include("kuaitui.interfaces.console.urls")),
    path("callbacks/", include("kuaitui.interfaces.callbacks.urls")),
]

handler400 = "kuaitui.interfaces.portal.views.system.bad_request"
handler403 = "kuaitui.interfaces.portal.views.system.forbidden"
handler404 = "kuaitui.interfaces.portal.views.system.not_found"
handler500 = "kuaitui.interfaces.portal.views.system.broken"
