"""The gate itself, in front of views made for the test."""

from __future__ import annotations

import types

import pytest
from django.core.checks import run_checks
from django.http import HttpResponse, JsonResponse
from django.test import Client, override_settings
from django.urls import path

from kuaitui.accounts.models import User
from kuaitui.accounts.operations import create_user, deactivate_user, grant_shop
from kuaitui.accounts.types import Role
from kuaitui.config.access import AccessMiddleware
from kuaitui.interfaces.portal import urls as portal
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal, RefusalKind
from kuaitui.kit import kept_forms
from kuaitui.kit.web import permission, public, status_of

STAFF = Actor.system("test")
SHOPS = {"own": 1, "foreign": 2}

pytestmark = pytest.mark.django_db


class NoSuchThing(Refusal):
    """There is no such thing."""

    code = "test.no_such_thing"
    kind = RefusalKind.NOT_FOUND


class TooMuch(Refusal):
    """This is too much."""

    code = "test.too_much"
    kind = RefusalKind.LIMIT


@permission("deposit.view")
def shop_page(request, shop_id):
    typed = request.POST if request.method == "POST" else kept_forms.take(request)
    return JsonResponse(
        [shop_id, request.shop.key, dict(typed.lists()) if typed else None], safe=False
    )


@permission("case.decide")
def staff_page(request):
    return HttpResponse("in")


@public
def open_page(request):
    return HttpResponse("in")


@public
def refusing_page(request):
    raise NoSuchThing(object_id="x")


def silent_page(request):
    return HttpResponse("never")


urlpatterns = [
    *portal.urlpatterns,
    path("at/<str:shop_id>", shop_page),
    path("staff", staff_page),
    path("open", open_page),
    path("refusing", refusing_page),
    path("silent", silent_page),
]


class GateOfTwoShops(AccessMiddleware):
    def find_shop(self, shop_id):
        key = SHOPS.get(shop_id)
        return key and types.SimpleNamespace(key=key)


@pytest.fixture(autouse=True)
def test_views(settings):
    gate = f"{__name__}.GateOfTwoShops"
    real = "kuaitui.config.access.AccessMiddleware"
    settings.MIDDLEWARE = [gate if name == real else name for name in settings.MIDDLEWARE]
    with override_settings(ROOT_URLCONF=__name__):
        yield


def make(role):
    now = read_clock()
    user_id = create_user(
        username=role, display_name=role, role=role, password="blue-kettle-77", actor=STAFF, now=now
    )
    if role is Role.SELLER:
        grant_shop(user_id=user_id, shop_key=SHOPS["own"], actor=STAFF, now=now)
    return User.objects.get(public_id=user_id)


def logged_in(role):
    client = Client(headers={"accept-language": "en"})
    client.force_login(make(role), "django.contrib.auth.backends.ModelBackend")
    return client


def test_a_seller_comes_into_the_own_shop():
    assert logged_in(Role.SELLER).get("/at/own").json() == ["own", SHOPS["own"], None]


@pytest.mark.parametrize("shop_id", ["unknown", "x" * 129, "%00", "%F0%9F%8F%AA"])
def test_a_foreign_shop_and_an_unknown_one_look_the_same(shop_id):
    client = logged_in(Role.SELLER)

    foreign, unknown = client.get("/at/foreign"), client.get(f"/at/{shop_id}")

    assert foreign.status_code == unknown.status_code == 404
    assert foreign.content == unknown.content


def test_somebody_logged_out_does_not_learn_which_shops_exist(client):
    assert client.get("/at/own")["Location"] == "/login?next=%2Fat%2Fown"
    assert client.get("/at/unknown")["Location"] == "/login?next=%2Fat%2Funknown"


def test_staff_pages_are_forbidden_to_sellers_and_open_to_their_role():
    assert logged_in(Role.SELLER).get("/staff").status_code == 403
    assert logged_in(Role.AUDITOR).get("/staff").status_code == 403
    assert logged_in(Role.REVIEWER).get("/staff").status_code == 200


def test_a_view_that_declares_nothing_stays_shut():
    assert logged_in(Role.APPROVER).get("/silent").status_code == 404
    assert [error.id for error in run_checks()] == ["kit.E001"]
    assert "silent" in run_checks()[0].msg


def test_a_deactivated_user_is_out_with_the_next_click():
    client = logged_in(Role.REVIEWER)
    assert client.get("/staff").status_code == 200

    deactivate_user(user_id=User.objects.get().public_id, actor=STAFF, now=read_clock())

    assert client.get("/staff")["Location"].startswith("/login")


def test_an_htmx_request_without_log_in_moves_the_whole_page(client):
    response = client.get("/at/own", headers={"HX-Request": "true"})

    assert response.headers["HX-Redirect"] == "/login?next=%2Fat%2Fown"


def test_what_was_typed_survives_an_expired_log_in():
    seller = make(Role.SELLER)
    browser = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
    csrf = browser.get("/login").context["csrf_token"]
    typed = {"amount": "1234.5", "reason": ["a", "b"], "note": "多谢 <b>", "password": "secret"}
    marks = {kept_forms.MARK_FIELD: kept_forms.mark_for(seller.public_id)}

    asked = browser.post("/at/own", {**typed, **marks, "csrfmiddlewaretoken": str(csrf)})

    assert asked.status_code == 401
    assert "what you typed is kept" in asked.text
    credentials = {"username": "seller", "password": "blue-kettle-77"}
    fields = {"csrfmiddlewaretoken": str(asked.context["csrf_token"])}
    browser.post("/login", {**credentials, "password": "wrong", **fields})
    back = browser.post("/login", {**credentials, **fields})
    assert back["Location"] == "/at/own"
    expected = {"amount": ["1234.5"], "reason": ["a", "b"], "note": ["多谢 <b>"]}
    assert browser.get("/at/own").json()[2] == expected
    assert browser.get("/at/own").json()[2] is None  # once


@pytest.mark.parametrize("mark", ["", "x", "x" * 70000, "usr_1:1abc:forged"])
def test_a_form_without_a_true_mark_is_not_kept(client, mark):
    make(Role.SELLER)
    asked = client.post("/at/own", {"amount": "1", kept_forms.MARK_FIELD: mark})
    assert "what you typed is kept" not in asked.text

    client.post("/login", {"username": "seller", "password": "blue-kettle-77"})

    assert client.get("/at/own").json()[2] is None


def test_kept_fields_do_not_show_on_another_page(rf):
    seller = make(Role.SELLER)
    typed = {"amount": "1", kept_forms.MARK_FIELD: kept_forms.mark_for(seller.public_id)}
    request = rf.post("/at/own", typed)
    request.session, request.user = {}, seller
    assert kept_forms.keep_marked(request)

    other = rf.get("/at/foreign")
    other.session, other.user = request.session, seller

    assert kept_forms.take(other) is None
    assert kept_forms.take(request) is not None


def test_what_is_kept_cannot_be_read_where_it_lies(rf):
    seller = make(Role.SELLER)
    typed = {"n": "6222020200001234", kept_forms.MARK_FIELD: kept_forms.mark_for(seller.public_id)}
    request = rf.post("/at/own", typed)
    request.session = {}

    kept_forms.keep_marked(request)

    assert "6222020200001234" not in str(request.session)
    assert request.session


def test_a_refusal_that_leaves_a_view_is_a_page_with_its_words(client):
    response = client.get("/refusing", headers={"accept-language": "en"})

    assert response.status_code == 404
    assert "There is no such thing." in response.text


def test_a_limit_that_passes_with_time_is_told_from_one_that_does_not():
    assert status_of(TooMuch()) == 422
    assert status_of(TooMuch(retry_after_s=60)) == 429


def test_every_kind_of_refusal_has_a_status():
    for kind in RefusalKind:
        assert 400 <= status_of(type("Some", (Refusal,), {"kind": kind})()) < 600
