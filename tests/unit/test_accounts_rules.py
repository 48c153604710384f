"""Which role may do what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuaitui.accounts.errors import DisplayNameInvalid, UsernameInvalid
from kuaitui.accounts.rules import (
    BOUND_TO_A_SHOP,
    ROLES_ALLOWED,
    Permission,
    hash_token,
    may,
    normal_display_name,
    normal_username,
)
from kuaitui.accounts.types import Role, Viewer

OWN_SHOP = 7
FOREIGN_SHOP = 8
CHANGES_SOMETHING = {
    Permission.REFUND_APPLY,
    Permission.REMINDER_SET,
    Permission.CASE_DECIDE,
    Permission.CASE_APPROVE_SECOND,
    Permission.CASE_DECIDE_APPEAL,
    Permission.PAYOUT_QUERY,
    Permission.PAYOUT_HOLD,
}


def viewer(role: Role) -> Viewer:
    shops = frozenset({OWN_SHOP}) if role is Role.SELLER else frozenset()
    return Viewer(1, "usr_1", "Somebody", role, shops)


def test_every_permission_has_a_row_in_the_table():
    assert set(ROLES_ALLOWED) == set(Permission)


@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("shop", [None, OWN_SHOP, FOREIGN_SHOP])
def test_nobody_may_do_nothing(permission, shop):
    assert not may(None, permission, shop)


@pytest.mark.parametrize("permission", sorted(BOUND_TO_A_SHOP))
def test_a_seller_is_confined_to_own_shops(permission):
    seller = viewer(Role.SELLER)

    assert may(seller, permission, OWN_SHOP)
    assert not may(seller, permission, FOREIGN_SHOP)
    assert not may(seller, permission, None)


@pytest.mark.parametrize("permission", sorted(CHANGES_SOMETHING))
def test_an_auditor_changes_nothing(permission):
    assert not may(viewer(Role.AUDITOR), permission, None)
    assert not may(viewer(Role.AUDITOR), permission, OWN_SHOP)


def test_who_decides_cannot_confirm_and_who_confirms_cannot_decide():
    deciding = ROLES_ALLOWED[Permission.CASE_DECIDE]
    confirming = ROLES_ALLOWED[Permission.CASE_APPROVE_SECOND]

    assert deciding
    assert confirming
    assert not deciding & confirming


def test_no_seller_holds_a_staff_permission():
    staff = {p for p, roles in ROLES_ALLOWED.items() if Role.REVIEWER in roles}

    assert {p for p in staff if may(viewer(Role.SELLER), p, OWN_SHOP)} == {Permission.HOME_VIEW}


def test_an_unknown_permission_is_a_bug_not_a_no():
    with pytest.raises(ValueError, match="not a valid Permission"):
        may(viewer(Role.SELLER), "deposit.veiw", OWN_SHOP)


@pytest.mark.parametrize(
    ("typed", "name"),
    [(" Wang.Fang ", "wang.fang"), ("ＷＡＮＧ", "wang"), ("王芳", "王芳"), ("a@b.cn", "a@b.cn")],
)
def test_a_user_name_has_one_spelling(typed, name):
    assert normal_username(typed) == name


@pytest.mark.parametrize("typed", ["", "   ", "a b", "a" * 81, "a\0b", "a\nb", "<script>"])
def test_a_user_name_with_other_signs_is_refused(typed):
    with pytest.raises(UsernameInvalid):
        normal_username(typed)


@pytest.mark.parametrize("typed", ["", " ", "a\nb", "a" * 121, "\u202eevil"])
def test_a_display_name_that_cannot_be_printed_is_refused(typed):
    with pytest.raises(DisplayNameInvalid):
        normal_display_name(typed)


@given(st.text(max_size=100))
def test_a_normal_user_name_stays_the_same(typed):
    try:
        name = normal_username(typed)
    except UsernameInvalid:
        return
    assert normal_username(name) == name


@given(st.text())
def test_any_token_has_a_hash(token):
    assert len(hash_token(token)) == 64
