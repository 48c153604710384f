"""Addresses for those who watch whether the system is up. They say nothing about anybody."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from kuaitui import __version__
from kuaitui.kit.health import Readiness, readiness
from kuaitui.kit.web import probe


@probe
@require_safe
def livez(_request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@probe
@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """The process can do its work: the database answers and its schema is complete."""
    found = readiness()
    return JsonResponse({"status": found}, status=200 if found is Readiness.READY else 503)


@probe
@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    """The same with the version, for people."""
    found = readiness()
    return JsonResponse(
        {"status": found, "version": __version__},
        status=200 if found is Readiness.READY else 503,
    )
