"""Users, shops and one-time links, on PostgreSQL."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.contrib.auth import authenticate
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import RequestFactory

from kuaitui.accounts.errors import (
    LinkExpired,
    LinkUnknown,
    LinkUsed,
    NotASeller,
    PasswordTooWeak,
    TooManyShops,
    UsernameTaken,
    UserUnknown,
)
from kuaitui.accounts.models import Membership, OneTimeLink, User
from kuaitui.accounts.operations import (
    create_user,
    deactivate_user,
    grant_shop,
    issue_one_time_link,
    redeem_one_time_link,
)
from kuaitui.accounts.queries import find_viewer, viewer_of
from kuaitui.accounts.rules import SHOPS_OF_ONE_USER_MAX
from kuaitui.accounts.types import Role
from kuaitui.kernel.actor import Actor, ActorKind

NOW = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
STAFF = Actor.system("test")
PASSWORD = "blue-kettle-thunder-77"

pytestmark = pytest.mark.django_db


def make_user(role=Role.SELLER, username="wang.fang", password=None):
    return create_user(
        username=username, display_name="王芳", role=role, password=password, actor=STAFF, now=NOW
    )


def counts():
    return User.objects.count(), Membership.objects.count(), OneTimeLink.objects.count()


def test_a_user_logs_in_with_the_password_kept_as_argon2():
    user_id = make_user(password=PASSWORD)

    request = RequestFactory().post("/login")
    assert authenticate(request, username="wang.fang", password=PASSWORD).public_id == user_id
    assert authenticate(request, username="wang.fang", password=PASSWORD + "!") is None
    assert User.objects.get().password.startswith("argon2$argon2id$")


def test_a_user_without_a_password_cannot_log_in_with_one():
    make_user(password=None)

    assert authenticate(RequestFactory().post("/login"), username="wang.fang", password="") is None


@pytest.mark.parametrize("password", ["short", "password123", "x" * 1001])
def test_a_weak_password_is_refused(password):
    before = counts()

    with pytest.raises(PasswordTooWeak):
        make_user(password=password)

    assert counts() == before


def test_a_second_user_of_the_same_name_is_refused():
    make_user()
    before = counts()

    with pytest.raises(UsernameTaken):
        make_user(username="WANG.FANG ", role=Role.APPROVER)

    assert counts() == before


def test_a_seller_sees_the_shops_granted_and_acts_as_a_seller():
    user_id = make_user()

    grant_shop(user_id=user_id, shop_key=7, actor=STAFF, now=NOW)
    grant_shop(user_id=user_id, shop_key=7, actor=STAFF, now=NOW)

    viewer = find_viewer(user_id=user_id)
    assert viewer.shop_keys == {7}
    assert viewer.actor.kind is ActorKind.SELLER
    assert Membership.objects.count() == 1


def test_staff_cannot_be_given_a_shop():
    user_id = make_user(role=Role.REVIEWER)

    with pytest.raises(NotASeller):
        grant_shop(user_id=user_id, shop_key=7, actor=STAFF, now=NOW)

    assert Membership.objects.count() == 0


def test_a_seller_with_as_many_shops_as_allowed_gets_no_more():
    user_id = make_user()
    user = User.objects.get()
    Membership.objects.bulk_create(
        Membership(user=user, shop_key=key, granted_at=NOW) for key in range(SHOPS_OF_ONE_USER_MAX)
    )

    with pytest.raises(TooManyShops):
        grant_shop(user_id=user_id, shop_key=SHOPS_OF_ONE_USER_MAX, actor=STAFF, now=NOW)

    assert len(find_viewer(user_id=user_id).shop_keys) == SHOPS_OF_ONE_USER_MAX


def test_a_shop_for_an_unknown_user_is_refused():
    with pytest.raises(UserUnknown):
        grant_shop(user_id="usr_nobody", shop_key=7, actor=STAFF, now=NOW)


def test_a_deactivated_user_is_nobody():
    user_id = make_user(password=PASSWORD)
    token = issue_one_time_link(user_id=user_id, lifetime=HOUR, actor=STAFF, now=NOW)

    deactivate_user(user_id=user_id, actor=STAFF, now=NOW)

    assert viewer_of(User.objects.get()) is None
    assert authenticate(RequestFactory().post("/"), username="wang.fang", password=PASSWORD) is None
    with pytest.raises(UserUnknown):
        find_viewer(user_id=user_id)
    with pytest.raises(LinkUnknown):
        redeem_one_time_link(token=token, now=NOW)
    with pytest.raises(UserUnknown):
        issue_one_time_link(user_id=user_id, lifetime=HOUR, actor=STAFF, now=NOW)


def test_a_link_lets_its_user_in_once():
    user_id = make_user()
    token = issue_one_time_link(user_id=user_id, lifetime=HOUR, actor=STAFF, now=NOW)

    assert redeem_one_time_link(token=token, now=NOW).public_id == user_id
    with pytest.raises(LinkUsed):
        redeem_one_time_link(token=token, now=NOW)


def test_a_link_expires_at_its_last_moment():
    token = issue_one_time_link(user_id=make_user(), lifetime=HOUR, actor=STAFF, now=NOW)

    with pytest.raises(LinkExpired):
        redeem_one_time_link(token=token, now=NOW + HOUR)

    assert OneTimeLink.objects.get().used_at is None


@pytest.mark.parametrize("token", ["", "x", "\0", "\udc80", "x" * 5000])
def test_an_unknown_token_lets_nobody_in(token):
    with pytest.raises(LinkUnknown):
        redeem_one_time_link(token=token, now=NOW)


def test_the_database_never_holds_the_token():
    token = issue_one_time_link(user_id=make_user(), lifetime=HOUR, actor=STAFF, now=NOW)

    link = OneTimeLink.objects.values().get()
    assert len(token) >= 43  # 256 bits
    assert token not in str(link)


@pytest.mark.django_db(transaction=True)
def test_of_many_at_the_same_moment_one_link_lets_one_in():
    token = issue_one_time_link(user_id=make_user(), lifetime=HOUR, actor=STAFF, now=NOW)
    start, outcomes = threading.Barrier(8), []

    def redeem():
        connection.ensure_connection()
        start.wait()
        try:
            outcomes.append(redeem_one_time_link(token=token, now=NOW).public_id)
        except LinkUsed as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=redeem) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes)[:7] == ["accounts.link_used"] * 7
    assert outcomes.count("accounts.link_used") == 7


def refused_by_database(sql, *arguments):
    with (
        pytest.raises(DatabaseError) as refusal,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql, arguments)
    return str(refusal.value)


@pytest.mark.parametrize("role", ["", "admin", "SELLER", "staff"])
def test_database_refuses_an_unknown_role(role):
    make_user()

    assert "user_role_is_known" in refused_by_database("UPDATE accounts_user SET role = %s", role)


def test_database_refuses_staff_with_a_shop():
    make_user(role=Role.APPROVER)
    user = User.objects.get()

    insert = """INSERT INTO accounts_membership (user_id, role, shop_key, granted_at)
                VALUES (%s, %s, 7, now())"""
    assert "membership_user_is_a_seller" in refused_by_database(insert, user.pk, "seller")
    assert "membership_is_a_sellers" in refused_by_database(insert, user.pk, "approver")


def test_database_refuses_to_make_staff_of_a_seller_with_shops():
    grant_shop(user_id=make_user(), shop_key=7, actor=STAFF, now=NOW)

    error = refused_by_database("UPDATE accounts_user SET role = 'reviewer'")

    assert "membership_user_is_a_seller" in error


def test_database_refuses_a_second_spelling_of_a_user_name():
    make_user()

    error = refused_by_database("UPDATE accounts_user SET username = 'Wang.Fang'")

    assert "username_is_lower_case_without_spaces" in error


@pytest.mark.parametrize(
    "change",
    [
        "used_at = used_at + interval '1 second'",
        "used_at = NULL",
        "expires_at = expires_at + interval '1 day'",
    ],
)
def test_database_refuses_to_change_a_used_link(change):
    token = issue_one_time_link(user_id=make_user(), lifetime=HOUR, actor=STAFF, now=NOW)
    redeem_one_time_link(token=token, now=NOW)

    error = refused_by_database(f"UPDATE accounts_one_time_link SET {change}")

    assert "used once" in error


def test_database_refuses_a_longer_life_for_an_unused_link():
    issue_one_time_link(user_id=make_user(), lifetime=HOUR, actor=STAFF, now=NOW)

    change = "UPDATE accounts_one_time_link SET expires_at = expires_at + interval '1 day'"

    assert "never changed" in refused_by_database(change)


def test_database_refuses_a_link_used_after_it_expired():
    issue_one_time_link(user_id=make_user(), lifetime=HOUR, actor=STAFF, now=NOW)

    change = "UPDATE accounts_one_time_link SET used_at = expires_at"

    assert "one_time_link_is_used_before_it_expires" in refused_by_database(change)


def test_database_refuses_a_link_that_keeps_its_token():
    make_user()

    with pytest.raises(IntegrityError, match="keeps_a_hash_only"), transaction.atomic():
        OneTimeLink.objects.create(
            user=User.objects.get(),
            purpose="log_in",
            token_hash="a-token-in-the-clear",
            created_at=NOW,
            expires_at=NOW + HOUR,
        )
