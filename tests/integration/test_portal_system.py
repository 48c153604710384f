"""Pages for what goes wrong say what happened, what it means for the money, and what to do."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpResponse
from django.test import Client
from django.urls import path

from kuaitui.accounts.operations import create_user, issue_one_time_link
from kuaitui.accounts.types import Role
from kuaitui.config import urls
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal, RefusalKind
from kuaitui.kit import kept_forms
from kuaitui.kit.web import permission, public

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

PASSWORD = "blue-kettle-thunder-77"
UNTOUCHED = "Your deposit is untouched"


class Changed(Refusal):
    """Another window was faster."""

    code = "test.changed"
    kind = RefusalKind.CONFLICT


@public
def conflict(request):
    raise Changed


@public
def broken(request):
    raise RuntimeError("the secret inside")


@permission("home.view")
def form(request):
    kept = request.POST if request.method == "POST" else kept_forms.take(request)
    return HttpResponse(repr(dict(kept.lists()) if kept else None))


urlpatterns = [
    *urls.urlpatterns,
    path("conflict", conflict),
    path("broken", broken),
    path("form", form),
]
handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500


@pytest.fixture
def client():
    return Client(headers={"accept-language": "en"}, raise_request_exception=False)


def make_seller(name):
    return create_user(
        username=name, display_name=name, role=Role.SELLER, password=PASSWORD,
        actor=Actor.system("test"), now=read_clock(),
    )  # fmt: skip


def log_in(client, name, **fields):
    return client.post("/login", {"username": name, "password": PASSWORD, **fields})


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/nowhere", 404, "There is no such page"),
        ("/conflict", 409, "The state has changed in the meantime"),
    ],
)
def test_a_page_for_what_went_wrong_says_that_nothing_moved(client, address, status, words):
    response = client.get(address)

    assert response.status_code == status
    assert words in response.text
    assert UNTOUCHED in response.text


def test_a_fault_of_ours_gives_a_number_and_no_inside(client):
    response = client.get("/broken")

    assert response.status_code == 500
    assert response["X-Request-ID"] in response.text
    assert "That is our fault" in response.text
    assert "secret" not in response.text


def test_the_page_for_a_fault_needs_no_database(client, django_db_blocker):
    with django_db_blocker.block():
        assert client.get("/broken").status_code == 500


def test_an_expired_form_of_our_own_comes_back_filled():
    user_id = make_seller("li")
    browser = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
    browser.force_login(get_user_model().objects.get(username="li"))

    typed = {"amount": "12", kept_forms.MARK_FIELD: kept_forms.mark_for(user_id)}
    refused = browser.post("/form", typed)

    assert refused.status_code == 302
    assert browser.get(refused["Location"]).text == "{'amount': ['12']}"


@pytest.mark.parametrize("mark", ["", "forged", "of another"])
def test_a_form_from_elsewhere_is_not_kept(mark):
    make_seller("li")
    other_id = make_seller("wu")
    browser = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
    browser.force_login(get_user_model().objects.get(username="li"))

    mark = kept_forms.mark_for(other_id) if mark == "of another" else mark
    refused = browser.post("/form", {"amount": "12", kept_forms.MARK_FIELD: mark})

    assert refused.status_code == 403
    assert "This form is out of date" in refused.text
    assert browser.get("/form").text == "None"


def test_what_one_person_typed_never_reaches_the_next(client):
    owner_id = make_seller("li")
    make_seller("wu")
    typed = {"amount": "12", kept_forms.MARK_FIELD: kept_forms.mark_for(owner_id)}

    client.post("/form", typed)
    log_in(client, "wu")
    assert client.get("/form").text == "None"

    client.post("/logout")
    log_in(client, "li")
    assert client.get("/form").text == "None"


def test_what_was_typed_also_survives_a_log_in_by_link(client):
    owner_id = make_seller("li")
    typed = {"amount": "12", kept_forms.MARK_FIELD: kept_forms.mark_for(owner_id)}
    client.post("/form", typed)

    token = issue_one_time_link(
        user_id=owner_id, lifetime=dt.timedelta(hours=1), actor=Actor.system("test"),
        now=read_clock(),
    )  # fmt: skip
    back = client.post(f"/link/{token}")

    assert back["Location"] == "/form"
    assert client.get("/form").text == "{'amount': ['12']}"


def test_nothing_is_stored_for_strangers(client):
    client.post("/form", {"amount": "12"})

    assert not client.session.keys()
