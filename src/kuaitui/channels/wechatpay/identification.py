"""Who a WeChat user is: 网页授权 of the official account whose appid pays.

Source: developers.weixin.qq.com/doc/service/api/webdev/access/api_snsaccesstoken (asking for the
openid, `is_snapshotuser`) and …/doc/offiaccount/OA_Web_Apps/Wechat_webpage_authorization (the page;
a code is good once, for five minutes; the order of the page's parameters is checked).
"""

from __future__ import annotations

import json
import re
from typing import Final
from urllib.parse import urlencode

import httpx

from kuaitui.channels.port import (
    IdentificationOutcome,
    NotIdentifiedBecause,
    PayeeIdentified,
    PayeeNotIdentified,
)
from kuaitui.channels.wechatpay.settings import UserIdentification
from kuaitui.channels.wire import Wire, WireReply

ASK: Final = "/sns/oauth2/access_token"
CODE: Final = re.compile(r"[0-9A-Za-z_-]{1,128}")
OPENID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
# invalid, missing, expired, used before
SPENT: Final = frozenset({40029, 41008, 42003, 40163})
# appid or secret: invalid, missing, not permitted, not from this address
REFUSING_US: Final = frozenset({40001, 40013, 40125, 41002, 41004, 48001, 40164})


class Identification:
    """The official account, as far as it says who somebody is."""

    def __init__(
        self, settings: UserIdentification, *, appid: str, transport: httpx.BaseTransport | None
    ) -> None:
        self._settings = settings
        self._appid = appid
        self._wire = Wire(settings.base_url, transport=transport)

    def page(self, *, state: str, return_to: str) -> str:
        """Where WeChat says, without asking, who it is. It opens in WeChat only."""
        query = urlencode(
            {
                "appid": self._appid,
                "redirect_uri": return_to,
                "response_type": "code",
                "scope": "snsapi_base",
                "state": state,
            }
        )
        return f"{self._settings.page}?{query}#wechat_redirect"

    def identify(self, code: str, *, deadline_s: float) -> IdentificationOutcome:
        """The openid that belongs to a code."""
        if CODE.fullmatch(code) is None:
            return PayeeNotIdentified(NotIdentifiedBecause.EXPIRED, "code_unfit")
        query = urlencode(
            {
                "appid": self._appid,
                "secret": self._settings.app_secret,
                "code": code,
                "grant_type": "authorization_code",
            }
        )
        reply = self._wire.call("GET", f"{ASK}?{query}", deadline_s=deadline_s)
        if not isinstance(reply, WireReply):
            return PayeeNotIdentified(NotIdentifiedBecause.UNREACHABLE, reply.cause)
        return read_answer(reply)


def read_answer(reply: WireReply) -> IdentificationOutcome:
    """Whom an answer names. A visitor of a snapshot page has an openid too, but not one of theirs."""
    try:
        document = json.loads(reply.content)
    except (ValueError, RecursionError):
        document = None
    if reply.status != 200 or not isinstance(document, dict):
        return PayeeNotIdentified(NotIdentifiedBecause.UNREACHABLE, f"http_{reply.status}")
    code = document.get("errcode", 0)
    if code != 0:
        return PayeeNotIdentified(_because(code), f"errcode_{code}"[:32])
    if document.get("is_snapshotuser"):
        return PayeeNotIdentified(NotIdentifiedBecause.GUEST, "is_snapshotuser")
    openid = document.get("openid")
    if not isinstance(openid, str) or OPENID.fullmatch(openid) is None:
        return PayeeNotIdentified(NotIdentifiedBecause.UNREACHABLE, "unreadable")
    return PayeeIdentified(openid)


def _because(code: object) -> NotIdentifiedBecause:
    if isinstance(code, int) and code in SPENT:
        return NotIdentifiedBecause.EXPIRED
    if isinstance(code, int) and code in REFUSING_US:
        return NotIdentifiedBecause.REFUSES_US
    return NotIdentifiedBecause.UNREACHABLE
