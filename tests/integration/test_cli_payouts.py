"""`kuaitui payouts`: a hold from the command line, released by two people who know passwords."""

from __future__ import annotations

import getpass
from collections.abc import Callable

import pytest

from kuaitui.accounts.operations import create_user
from kuaitui.accounts.types import Role
from kuaitui.interfaces.cli.main import main
from kuaitui.payouts.queries import current_hold
from tests.support import given

pytestmark = pytest.mark.django_db
Run = Callable[..., int]
PASSWORD = "a long enough password"


@pytest.fixture
def payouts(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setattr("kuaitui.interfaces.cli.payouts.start_database", lambda: "")

    def run(*arguments: str, password: str = PASSWORD) -> int:
        monkeypatch.setattr(getpass, "getpass", lambda _: password)
        with pytest.raises(SystemExit) as end:
            main(["payouts", *arguments])
        return int(end.value.code or 0)

    return run


def person(name: str, role: Role = Role.APPROVER) -> None:
    create_user(
        username=name,
        display_name=name,
        role=role,
        password=PASSWORD,
        actor=given.clerk(),
        now=given.NOW,
    )


def test_a_hold_is_begun_seen_and_released_by_two_people(
    payouts: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    person("li")
    person("wang")
    assert payouts("status") == 0
    assert payouts("hold", "--reason", "Restored last night's backup.") == 1
    assert "Restored last night's backup." in capsys.readouterr().out

    assert payouts("release", "--user", "li", "--finding", "All answered.") == 1
    with given.nothing_moves("payouts_hold"):
        assert payouts("release", "--user", "li") == 2
    assert payouts("release", "--user", "wang") == 0

    assert current_hold() is None


@pytest.mark.parametrize(
    ("name", "password"), [("li", "wrong"), ("nobody", PASSWORD), ("chen", PASSWORD)]
)
def test_who_may_not_release_does_not(payouts: Run, name: str, password: str) -> None:
    person("li")
    person("chen", Role.REVIEWER)
    payouts("hold", "--reason", "a drill")

    with given.nothing_moves("payouts_hold"):
        assert payouts("release", "--user", name, "--finding", "x", password=password) == 2
