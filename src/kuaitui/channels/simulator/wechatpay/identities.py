"""The official account of the simulated WeChat Pay: who looks at a merchant's page.

A code is good for one question within five minutes. Source: developers.weixin.qq.com
/doc/service/api/webdev/access/api_snsaccesstoken, and its table of `errcode`.
"""

from __future__ import annotations

import json
import secrets
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

from kuaitui.channels.simulator.pages import text_page
from kuaitui.channels.simulator.serving import Reply
from kuaitui.channels.simulator.wechatpay.book import WechatPayBook
from kuaitui.channels.simulator.wechatpay.keys import APPID, Keys
from kuaitui.channels.simulator.wechatpay.trades import DEFAULT_OPENID

AUTHORIZE: Final = "/connect/oauth2/authorize"
ASK: Final = "/sns/oauth2/access_token"
CODE_LASTS_S: Final = 300
# The order is checked, "for safety": a page with another does not open.
PARAMETERS: Final = ["appid", "redirect_uri", "response_type", "scope", "state"]
SCOPES: Final = ("snsapi_base", "snsapi_userinfo")


class Identities:
    """Says who a user is, to the merchant's server alone."""

    def __init__(self, book: WechatPayBook, keys: Keys) -> None:
        self._book = book
        self._keys = keys

    def answer(self, path: str, query: str) -> Reply | None:
        """The page or the answer at that path; nothing if it is not one of these."""
        asked = {name: values[-1] for name, values in parse_qs(query).items()}
        if path == AUTHORIZE:
            return self._send_back(asked)
        return _document(self._exchange(asked)) if path == ASK else None

    def _send_back(self, asked: dict[str, str]) -> Reply:
        """To where the page was asked from, with a code and without a question."""
        return_to = asked.get("redirect_uri", "")
        is_in_form = (
            list(asked) == PARAMETERS[: len(asked)]
            and asked.get("appid") == APPID
            and asked.get("response_type") == "code"
            and asked.get("scope") in SCOPES
            and return_to.startswith(("http://", "https://"))
        )
        if not is_in_form:
            return text_page(HTTPStatus.BAD_REQUEST, "请在微信客户端打开链接（模拟）")
        code = secrets.token_urlsafe(24)
        openid = self._book.setting("who_looks", DEFAULT_OPENID)
        with self._book.transaction():
            self._book.insert(
                "identity", {"code": code, "openid": openid, "made_at": self._book.now()}
            )
        glue = "&" if "?" in return_to else "?"
        answer = urlencode({"code": code, "state": asked.get("state", "")})
        return Reply(HTTPStatus.FOUND, headers={"Location": f"{return_to}{glue}{answer}"})

    def _exchange(self, asked: dict[str, str]) -> dict[str, Any]:
        if asked.get("appid") != APPID:
            return _error(40013, "invalid appid")
        if asked.get("secret") != self._keys.app_secret_file.read_text():
            return _error(40125, "invalid appsecret")
        if asked.get("grant_type") != "authorization_code":
            return _error(40002, "invalid grant_type")
        with self._book.transaction():
            identity = self._book.row(
                "SELECT * FROM identity WHERE code = ?", asked.get("code", "")
            )
            if identity is None:
                return _error(40029, "invalid code")
            if identity["is_spent"]:
                return _error(40163, "code been used")
            self._book.change("UPDATE identity SET is_spent = 1 WHERE code = ?", identity["code"])
        if self._book.now() > identity["made_at"] + CODE_LASTS_S:
            return _error(42003, "oauth_code expired")
        guest = {"is_snapshotuser": 1} if self._book.setting("who_looks_is_guest", "") else {}
        return {
            "access_token": secrets.token_urlsafe(32),
            "expires_in": 7200,
            "refresh_token": secrets.token_urlsafe(32),
            "openid": identity["openid"],
            "scope": "snsapi_base",
            **guest,
        }


def _error(code: int, message: str) -> dict[str, Any]:
    return {"errcode": code, "errmsg": f"{message}, rid: simulated"}


def _document(document: dict[str, Any]) -> Reply:
    return Reply(HTTPStatus.OK, json.dumps(document).encode(), content_type="text/plain")
