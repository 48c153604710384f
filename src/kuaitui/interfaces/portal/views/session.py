"""Coming in and going out: password, one-time link, language."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

import structlog
from django import forms
from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from django.views.i18n import set_language

from kuaitui.accounts.errors import UsernameInvalid
from kuaitui.accounts.models import User
from kuaitui.accounts.operations import PASSWORD_LENGTH_MAX, redeem_one_time_link
from kuaitui.accounts.queries import viewer_of
from kuaitui.accounts.rules import normal_username
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal
from kuaitui.kit import kept_forms
from kuaitui.kit.web import public, status_of

logger = structlog.get_logger(__name__)

BACKEND: Final = "django.contrib.auth.backends.ModelBackend"
NEXT_LENGTH_MAX: Final = 2000
# Pages that would send a person in a circle, or straight out again.
_NEVER_NEXT: Final = ("/login", "/logout", "/link/", "/language")


class LogInForm(forms.Form):
    """A name and a password; what is wrong with them is never told apart."""

    username = forms.CharField(max_length=200)
    password = forms.CharField(max_length=PASSWORD_LENGTH_MAX, strip=False)

    def clean_username(self) -> str:
        """The one spelling under which users are stored."""
        try:
            return normal_username(self.cleaned_data["username"])
        except UsernameInvalid as refusal:
            raise forms.ValidationError(refusal.message)


@public
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def log_in(request: HttpRequest) -> HttpResponseBase:
    """Ask for name and password; then on to where the person wanted to go.

    A wrong name, a wrong password and a deactivated user get the same words after the same time.
    """
    if request.method != "POST":
        if viewer_of(request.user):
            return HttpResponseRedirect(next_address(request))
        return _log_in_page(request)
    form = LogInForm(request.POST)
    user = authenticate(request, **form.cleaned_data) if form.is_valid() else None
    if user is None:
        return _log_in_page(request, is_refused=True, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return _enter(request, user)


@public
@require_POST
def log_out(request: HttpRequest) -> HttpResponseBase:
    """End the session; everything it held is gone."""
    logout(request)
    return HttpResponseRedirect("/login?left=1")


@public
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def one_time_link(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show a button; only the button uses the link up.

    Chat programs and mail scanners open links to preview them: a link that logged in on GET would be
    spent before its owner saw it.
    """
    if request.method != "POST":
        return render(request, "session/link.html", {"token": token})
    try:
        user = redeem_one_time_link(token=token, now=read_clock())
    except Refusal as refusal:
        logger.info("accounts.link_refused", code=refusal.code)
        return render(request, "session/link.html", {"refusal": refusal}, status=status_of(refusal))
    return _enter(request, user)


@public
@require_POST
def language(request: HttpRequest) -> HttpResponseBase:
    """Remember the language in a cookie and go back to the page."""
    return set_language(request)


def ask_to_log_in(request: HttpRequest) -> HttpResponseBase:
    """The answer to somebody who is not logged in, with everything typed kept."""
    if request.method in {"GET", "HEAD"}:
        address = f"/login?{urlencode({'next': request.get_full_path()[:NEXT_LENGTH_MAX]})}"
        if request.headers.get("HX-Request"):
            return HttpResponse(status=HTTPStatus.NO_CONTENT, headers={"HX-Redirect": address})
        return HttpResponseRedirect(address)
    is_kept = kept_forms.keep_marked(request)
    response = _log_in_page(
        request,
        is_kept=is_kept,
        next_path=request.path,
        status=HTTPStatus.UNAUTHORIZED,
    )
    # The standard asks for a challenge; browsers know no scheme of this name and show the page.
    response.headers["WWW-Authenticate"] = 'Session realm="kuaitui"'
    return response


def locked_out(
    request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """The page after too many tries: how long to wait, and what else to do."""
    del response, credentials
    wait_s = int(settings.AXES_COOLOFF_TIME * 3600)
    page = render(
        request,
        "session/locked_out.html",
        {"wait_minutes": wait_s // 60},
        status=HTTPStatus.TOO_MANY_REQUESTS,
    )
    page.headers["Retry-After"] = str(wait_s)
    return page


def next_address(request: HttpRequest, path: str = "") -> str:
    """Where to go after log-in: the page asked for if it is one of ours, else the person's own."""
    wanted = path or request.POST.get("next", "") or request.GET.get("next", "")
    is_ours = (
        wanted.startswith("/")
        and len(wanted) <= NEXT_LENGTH_MAX
        and wanted.isprintable()
        and not wanted.startswith(_NEVER_NEXT)
        and url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
    )
    return wanted if is_ours else "/"


def _enter(request: HttpRequest, user: User) -> HttpResponseBase:
    # `login` gives the session a new key, so a key somebody planted before opens nothing.
    login(request, user, backend=BACKEND)
    logger.info("accounts.logged_in", user=user.public_id)
    return HttpResponseRedirect(next_address(request, kept_forms.claim(request) or ""))


def _log_in_page(
    request: HttpRequest,
    *,
    is_kept: bool = False,
    next_path: str = "",
    is_refused: bool = False,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    context = {
        "next": next_address(request, next_path),
        "is_kept": is_kept,
        "username": request.POST.get("username", "")[:200] if is_refused else "",
        "is_refused": is_refused,
        "has_left": request.GET.get("left") == "1",
        "is_interrupted": bool(next_path),
    }
    return render(request, "session/login.html", context, status=status)
