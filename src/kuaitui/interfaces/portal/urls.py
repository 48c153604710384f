"""The routes of these pages."""

from django.urls import URLPattern, URLResolver, path

from kuaitui.interfaces.portal.views import health, session

urlpatterns: list[URLPattern | URLResolver] = [
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("healthz", health.healthz, name="healthz"),
    path("login", session.log_in, name="log_in"),
    path("logout", session.log_out, name="log_out"),
    path("link/<str:token>", session.one_time_link, name="one_time_link"),
    path("language", session.language, name="language"),
]
