"""Who a WeChat user is: the page's address, and every answer of the official account."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from kuaitui.channels.port import NotIdentifiedBecause, PayeeIdentified, PayeeNotIdentified
from kuaitui.channels.wechatpay.identification import Identification, read_answer
from kuaitui.channels.wechatpay.settings import UserIdentification
from kuaitui.channels.wire import WireReply

APPID = "wxd678efh567hg6787"
SECRET = "0123456789abcdef0123456789abcdef"
OPENID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
# As the official page shows an answer; `is_snapshotuser` comes for guests only.
NAMED = {
    "access_token": "ACCESS_TOKEN",
    "expires_in": 7200,
    "refresh_token": "REFRESH_TOKEN",
    "openid": OPENID,
    "scope": "snsapi_base",
}


def answer(document: object, status: int = 200) -> WireReply:
    return WireReply(status, {}, json.dumps(document).encode())


def identification(handler: object = None) -> Identification:
    transport = httpx.MockTransport(handler) if handler else None
    return Identification(UserIdentification(SECRET), appid=APPID, transport=transport)


def test_the_page_has_its_parameters_in_the_order_that_wechat_checks() -> None:
    page = identification().page(state="a1B2", return_to="https://desk.example/a?back=/b&c")

    place = urlsplit(page)
    assert page.startswith("https://open.weixin.qq.com/connect/oauth2/authorize?")
    assert place.fragment == "wechat_redirect"
    assert parse_qsl(place.query) == [
        ("appid", APPID),
        ("redirect_uri", "https://desk.example/a?back=/b&c"),
        ("response_type", "code"),
        ("scope", "snsapi_base"),
        ("state", "a1B2"),
    ]


def test_an_answer_names_the_user_and_no_text_shows_whom() -> None:
    named = read_answer(answer(NAMED))

    assert named == PayeeIdentified(OPENID)
    assert OPENID not in repr(named)


@pytest.mark.parametrize(
    ("reply", "because"),
    [
        (answer({"errcode": 40029, "errmsg": "invalid code"}), NotIdentifiedBecause.EXPIRED),
        (answer({"errcode": 40163, "errmsg": "code been used"}), NotIdentifiedBecause.EXPIRED),
        (answer({"errcode": 42003, "errmsg": "expired"}), NotIdentifiedBecause.EXPIRED),
        (answer({"errcode": 40013, "errmsg": "appid"}), NotIdentifiedBecause.REFUSES_US),
        (answer({"errcode": 40125, "errmsg": "secret"}), NotIdentifiedBecause.REFUSES_US),
        (answer({**NAMED, "is_snapshotuser": 1}), NotIdentifiedBecause.GUEST),
        (answer({"errcode": -1, "errmsg": "busy"}), NotIdentifiedBecause.UNREACHABLE),
        (answer({"errcode": [40029], **NAMED}), NotIdentifiedBecause.UNREACHABLE),
        (answer({**NAMED, "openid": "o\nx"}), NotIdentifiedBecause.UNREACHABLE),
        (answer({**NAMED, "openid": 5}), NotIdentifiedBecause.UNREACHABLE),
        (answer({}), NotIdentifiedBecause.UNREACHABLE),
        (answer([NAMED]), NotIdentifiedBecause.UNREACHABLE),
        (answer(NAMED, status=502), NotIdentifiedBecause.UNREACHABLE),
        (WireReply(200, {}, b"<html>"), NotIdentifiedBecause.UNREACHABLE),
    ],
)
def test_whatever_else_is_answered_names_nobody(
    reply: WireReply, because: NotIdentifiedBecause
) -> None:
    told = read_answer(reply)

    assert isinstance(told, PayeeNotIdentified)
    assert told.because is because


def test_a_code_that_could_be_another_parameter_is_never_sent() -> None:
    asked: list[httpx.Request] = []

    def never(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=NAMED)

    for code in ("", "a&secret=b", "a b", "x" * 129):
        told = identification(never).identify(code, deadline_s=1)
        assert isinstance(told, PayeeNotIdentified)

    assert asked == []
