"""Coming in and going out, over HTTP."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.test import Client

from kuaitui.accounts.models import OneTimeLink
from kuaitui.accounts.operations import create_user, deactivate_user, issue_one_time_link
from kuaitui.accounts.types import Role
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.clock import read_clock

STAFF = Actor.system("test")
PASSWORD = "blue-kettle-thunder-77"
WRONG = "This name and password do not go together"

pytestmark = pytest.mark.django_db


@pytest.fixture
def user_id():
    return create_user(
        username="wang.fang",
        display_name="王芳",
        role=Role.SELLER,
        password=PASSWORD,
        actor=STAFF,
        now=read_clock(),
    )


@pytest.fixture
def client():
    return Client(headers={"accept-language": "en"})


def log_in(client, **fields):
    return client.post("/login", {"username": "wang.fang", "password": PASSWORD, **fields})


def token_for(user_id, lifetime=dt.timedelta(hours=1)):
    return issue_one_time_link(user_id=user_id, lifetime=lifetime, actor=STAFF, now=read_clock())


def is_logged_in(client):
    return "_auth_user_id" in client.session


def test_name_and_password_log_in(client, user_id):
    response = log_in(client)

    assert response.status_code == 302
    assert response["Location"] == "/"
    assert is_logged_in(client)


def test_a_name_is_read_in_any_case_and_width(client, user_id):
    log_in(client, username=" WANG.Ｆang ")

    assert is_logged_in(client)


def test_whoever_is_refused_learns_nothing_about_the_reason(client, user_id):
    create_user(
        username="gone",
        display_name="G",
        role=Role.SELLER,
        password=PASSWORD,
        actor=STAFF,
        now=read_clock(),
    )
    create_user(
        username="linkonly",
        display_name="L",
        role=Role.SELLER,
        password=None,
        actor=STAFF,
        now=read_clock(),
    )
    deactivate_user(user_id=user_id, actor=STAFF, now=read_clock())

    pages = {
        re.sub(r"(value|csrf)[^>]*", "", log_in(client, username=name, password=password).text)
        for name, password in [
            ("nobody", PASSWORD),
            ("gone", PASSWORD + "x"),
            ("wang.fang", PASSWORD),
            ("linkonly", "x"),
            ("a\0b", "x"),
            ("x" * 300, "x"),
            ("", ""),
        ]
    }

    assert len(pages) == 1
    assert WRONG in pages.pop()
    assert not is_logged_in(client)


def test_a_refused_log_in_keeps_the_name_and_never_the_password(client, user_id):
    response = log_in(client, password="secret-typed-wrong")

    assert response.status_code == 422
    assert 'value="wang.fang"' in response.text
    assert "secret-typed-wrong" not in response.text


def test_too_many_wrong_passwords_rest_the_log_in_even_for_the_right_one(client, user_id, settings):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        response = log_in(client, password="wrong")

    assert response.status_code == 429
    assert response["Retry-After"] == "900"
    assert "15 minutes" in response.text
    assert log_in(client).status_code == 429
    assert not is_logged_in(client)


def test_a_locked_name_does_not_lock_the_others(client, user_id, settings):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        log_in(client, username="somebody.else", password="wrong")

    log_in(client)

    assert is_logged_in(client)


def test_behind_a_proxy_a_stranger_locks_out_nobody_but_their_own_address(
    client, user_id, settings
):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    stranger = Client(headers={"x-forwarded-for": "203.0.113.7"})
    for _ in range(settings.AXES_FAILURE_LIMIT):
        log_in(stranger, password="wrong")

    pretending = Client(headers={"x-forwarded-for": "198.51.100.4, 203.0.113.7"})
    assert log_in(pretending).status_code == 429
    assert log_in(Client(headers={"x-forwarded-for": "198.51.100.4"})).status_code == 302


def test_without_a_proxy_nobody_names_their_own_address(client, user_id, settings):
    for number in range(settings.AXES_FAILURE_LIMIT):
        log_in(Client(headers={"x-forwarded-for": f"203.0.113.{number}"}), password="wrong")

    assert log_in(client).status_code == 429


def test_one_good_log_in_forgets_the_wrong_ones(client, user_id, settings):
    for _ in range(3):
        for _ in range(settings.AXES_FAILURE_LIMIT - 1):
            log_in(client, password="wrong")
        assert log_in(client).status_code == 302


def test_the_session_gets_a_new_key_at_log_in(client, user_id):
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies["kuaitui_session"] = planted = session.session_key

    log_in(client)

    assert client.cookies["kuaitui_session"].value != planted


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example/",
        "https://evil.example/",
        "http:///evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "\t//evil.example",
        "/login?next=/login",
        "/logout",
        "/link/abc",
        "evil",
        "/" + "x" * 3000,
        "/a\r\nSet-Cookie: a=b",
    ],
)
def test_after_log_in_nobody_is_sent_elsewhere(client, user_id, wanted):
    assert log_in(client, next=wanted)["Location"] == "/"


def test_after_log_in_one_comes_to_the_page_asked_for(client, user_id):
    assert log_in(client, next="/shops/1/?a=b")["Location"] == "/shops/1/?a=b"


def test_log_out_ends_the_session_and_only_by_post(client, user_id):
    log_in(client)

    assert client.get("/logout").status_code == 405
    assert is_logged_in(client)
    client.post("/logout")
    assert not is_logged_in(client)


def test_looking_at_a_link_does_not_use_it(client, user_id):
    token = token_for(user_id)

    for _ in range(3):
        assert client.get(f"/link/{token}").status_code == 200
        assert client.head(f"/link/{token}").status_code == 200

    assert OneTimeLink.objects.get().used_at is None
    assert not is_logged_in(client)


def test_the_button_of_a_link_logs_in_once(client, user_id):
    token = token_for(user_id)

    assert client.post(f"/link/{token}")["Location"] == "/"
    assert is_logged_in(client)

    second = Client(headers={"accept-language": "en"})
    response = second.post(f"/link/{token}")
    assert response.status_code == 409
    assert "used already" in response.text
    assert not is_logged_in(second)


def test_a_link_expires(client, user_id):
    token = token_for(user_id, lifetime=dt.timedelta(microseconds=1))

    response = client.post(f"/link/{token}")

    assert response.status_code == 409
    assert "expired" in response.text
    assert not is_logged_in(client)


@pytest.mark.parametrize("token", ["x", "%00", "%ED%B2%80", "%2e%2e", "x" * 3000])
def test_an_unknown_link_is_not_found(client, token):
    assert client.post(f"/link/{token}").status_code == 404


def test_a_deactivated_user_is_out_at_once(client, user_id):
    log_in(client)

    deactivate_user(user_id=user_id, actor=STAFF, now=read_clock())

    assert client.get("/login").status_code == 200  # asked to log in, not sent home
    assert log_in(client).status_code == 422


def test_the_language_is_remembered_and_goes_back_to_the_page(client):
    response = client.post("/language", {"language": "en", "next": "/login"})

    assert response["Location"] == "/login"
    assert client.cookies["kuaitui_language"].value == "en"
    assert client.post("/language", {"language": "en", "next": "//evil.example"})["Location"] == "/"


@pytest.mark.parametrize("page", ["/login", "/link/x", "/livez", "/nowhere"])
def test_every_page_forbids_foreign_code_frames_and_storing(client, page):
    headers = client.get(page).headers

    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "no-store" in headers["Cache-Control"]
