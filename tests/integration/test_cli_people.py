"""`kuaitui people`: the first colleague, the first seller, and whoever leaves."""

from __future__ import annotations

import getpass
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from kuaitui.facts.operations import register_shop
from kuaitui.facts.types import ShopKind
from kuaitui.interfaces.cli.main import main
from tests.support import given

pytestmark = pytest.mark.django_db
Run = Callable[..., tuple[int, str]]
TABLES = ("accounts_user", "accounts_membership", "accounts_one_time_link", "audit_event")
PASSWORD = "a long enough password"
LINK = re.compile(r"/link/\S+")


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setattr("kuaitui.interfaces.cli.people.start_database", lambda: "")

    def run(*arguments: str, passwords: tuple[str, ...] = ()) -> tuple[int, str]:
        typed = iter(passwords)
        monkeypatch.setattr(getpass, "getpass", lambda _: next(typed))
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main(["people", *arguments])
        told = capsys.readouterr()
        return int(end.value.code or 0), told.out + told.err

    return run


def come_in_by(told: str) -> Client:
    client = Client(headers={"accept-language": "en"})
    link = LINK.search(told)
    assert link is not None
    assert client.post(link[0]).status_code == 302
    return client


def log_in(name: str, password: str) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.post("/login", {"username": name, "password": password})
    return client


def is_in(client: Client) -> bool:
    return client.get("/").status_code == 200 or "/login" not in client.get("/")["location"]


def test_the_first_reviewer_comes_in_by_the_link_that_is_printed(people: Run) -> None:
    code, told = people("add", "Li.Shen", "--name", "李审", "--role", "reviewer")

    assert code == 0
    assert come_in_by(told).get("/console/").status_code == 200
    assert "li.shen  reviewer  李审" in people("list")[1]


def test_a_seller_sees_the_shops_that_were_named_and_those_granted_later(people: Run) -> None:
    shop, later, strange = given.shop(), given.shop(), given.shop()
    _, told = people("add", "wang", "--name", "王小明", "--role", "seller", "--shop", shop.shop_id)
    client = come_in_by(told)

    assert client.get(f"/shops/{shop.shop_id}/").status_code == 200
    assert client.get(f"/shops/{later.shop_id}/").status_code == 404
    assert people("grant", "wang", "--shop", later.shop_id)[0] == 0
    assert client.get(f"/shops/{later.shop_id}/").status_code == 200
    assert client.get(f"/shops/{strange.shop_id}/").status_code == 404
    assert "wang  seller  王小明, 2 shops" in people("list", "--role", "seller")[1]


def test_a_link_is_made_anew_and_is_good_once(people: Run) -> None:
    people("add", "li", "--name", "李审", "--role", "auditor")
    code, told = people("link", "li", "--hours", "1")
    come_in_by(told)

    assert code == 0
    link = LINK.search(told)
    assert link is not None
    assert Client().post(link[0]).status_code != 302


def test_a_new_password_is_asked_for_twice_and_ends_what_is_open(people: Run) -> None:
    people("add", "li", "--name", "李审", "--role", "approver")
    assert people("password", "li", passwords=(PASSWORD, PASSWORD))[0] == 0
    client = log_in("li", PASSWORD)
    assert is_in(client)

    assert people("password", "li", passwords=(PASSWORD + "2", PASSWORD + "2"))[0] == 0

    assert not is_in(client)
    assert not is_in(log_in("li", PASSWORD))
    assert is_in(log_in("li", PASSWORD + "2"))


def test_whoever_leaves_is_out_at_once(people: Run) -> None:
    _, told = people("add", "li", "--name", "李审", "--role", "reviewer")
    client = come_in_by(told)

    assert people("close", "li")[0] == 0

    assert not is_in(client)
    assert "li  reviewer  李审, shut out" in people("list")[1]
    assert people("link", "li")[0] == 2


def test_whoever_comes_back_is_let_in_by_a_new_link_only(people: Run) -> None:
    _, first = people("add", "li", "--name", "李审", "--role", "reviewer")
    old = come_in_by(first)
    people("password", "li", passwords=(PASSWORD, PASSWORD))
    by_password = log_in("li", PASSWORD)
    _, unused = people("link", "li")
    people("close", "li")

    code, told = people("reopen", "li")

    assert code == 0
    assert not is_in(old)
    assert not is_in(by_password)
    assert not is_in(log_in("li", PASSWORD))
    dead = LINK.search(unused)
    assert dead is not None
    assert Client().post(dead[0]).status_code != 302
    assert is_in(come_in_by(told))
    assert "shut out" not in people("list")[1]


def test_reopening_somebody_who_is_not_shut_out_takes_nothing_away(people: Run) -> None:
    people("add", "li", "--name", "李审", "--role", "reviewer")
    people("password", "li", passwords=(PASSWORD, PASSWORD))

    code, told = people("reopen", "li")

    assert (code, "Nothing was changed" in told, LINK.search(told)) == (0, True, None)
    assert is_in(log_in("li", PASSWORD))


def test_a_shop_that_is_taken_away_is_not_there_any_more(people: Run) -> None:
    shop, kept = given.shop(), given.shop()
    named = ("--shop", shop.shop_id, "--shop", kept.shop_id)
    _, told = people("add", "wang", "--name", "王小明", "--role", "seller", *named)
    client = come_in_by(told)
    assert client.get(f"/shops/{shop.shop_id}/").status_code == 200

    for _ in range(2):
        assert people("revoke", "wang", "--shop", shop.shop_id)[0] == 0

    assert client.get(f"/shops/{shop.shop_id}/").status_code == 404
    assert client.get(f"/shops/{kept.shop_id}/").status_code == 200


def test_what_the_page_of_installing_says_of_people_works(people: Run) -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "install.md").read_text()
    said = re.findall(r"kuaitui people (\w+ ?[^`\n]*)", page)
    register_shop(
        shop_id="S1", name="", kind=ShopKind.INDIVIDUAL, currency="CNY", zone="Asia/Shanghai",
        opened_at=given.NOW, now=given.NOW,
    )  # fmt: skip

    codes = [people(*shlex.split(words), passwords=(PASSWORD, PASSWORD))[0] for words in said]

    assert len(said) == 11
    assert set(codes) == {0}


@pytest.mark.parametrize(
    ("arguments", "passwords", "told"),
    [
        (["add", "li", "--name", "x", "--role", "reviewer"], (), "taken"),
        (["add", "l i", "--name", "x", "--role", "reviewer"], (), "user name has 1 to 80"),
        (["add", "wu", "--name", "", "--role", "reviewer"], (), "display name"),
        (["add", "wu", "--name", "x", "--role", "seller", "--shop", "none"], (), "shop"),
        (["add", "wu", "--name", "x", "--role", "auditor", "--shop", "given"], (), "Only a seller"),
        (["grant", "li", "--shop", "given"], (), "Only a seller"),
        (["grant", "nobody", "--shop", "given"], (), "no such user"),
        (["link", "nobody"], (), "no such user"),
        (["close", "nobody"], (), "no such user"),
        (["reopen", "nobody"], (), "no such user"),
        (["revoke", "nobody", "--shop", "given"], (), "no such user"),
        (["revoke", "li", "--shop", "none"], (), "shop"),
        (["password", "li"], (PASSWORD, "another password"), "not the same"),
        (["password", "li"], ("short", "short"), "longer password"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    people: Run, arguments: list[str], passwords: tuple[str, ...], told: str
) -> None:
    people("add", "li", "--name", "李审", "--role", "reviewer")
    shop = given.shop()
    named = [shop.shop_id if argument == "given" else argument for argument in arguments]

    with given.nothing_moves(*TABLES):
        code, said = people(*named, passwords=passwords)

    assert code == 2
    assert told in said
