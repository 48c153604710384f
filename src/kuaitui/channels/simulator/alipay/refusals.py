"""How Alipay refuses: HTTP is 200, the answer has a `code` of the gateway and a `sub_code` of its own.

Source: reference §1.3 (what is unsigned, what is unknown).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from kuaitui.channels.simulator.store import ChannelRefuses

SUCCESS: Final = {"code": "10000", "msg": "Success"}
BUSINESS_FAILED: Final = "40004"
UNAVAILABLE: Final = "20000"
MESSAGES: Final = {
    UNAVAILABLE: "Service Currently Unavailable",
    "40001": "Missing Required Arguments",
    "40002": "Invalid Arguments",
    BUSINESS_FAILED: "Business Failed",
    "40006": "Insufficient Permissions",
}
# A `sub_code` that is not here is a refusal of the business behind the gateway.
CODES: Final = {
    "aop.unknow-error": UNAVAILABLE,
    "isp.unknow-error": UNAVAILABLE,
    "isv.missing-method": "40001",
    "isv.missing-signature": "40001",
    "isv.missing-app-id": "40001",
    "isv.missing-timestamp": "40001",
    "isv.missing-version": "40001",
    "isv.missing-signature-type": "40001",
    "isv.invalid-method": "40002",
    "isv.invalid-signature": "40002",
    "isv.invalid-signature-type": "40002",
    "isv.invalid-app-id": "40002",
    "isv.invalid-timestamp": "40002",
    "isv.invalid-charset": "40002",
    "isv.invalid-format": "40002",
    "isv.insufficient-isv-permissions": "40006",
}


def refuse(sub_code: str, message: str = "") -> ChannelRefuses:
    """A refusal with its `sub_code`, which decides about the rest of it."""
    return ChannelRefuses(HTTPStatus.OK, sub_code, message)


def is_signed(refusal: ChannelRefuses) -> bool:
    """Whether the refusal carries a signature: what the gateway itself refuses does not."""
    return CODES.get(refusal.code, BUSINESS_FAILED) == BUSINESS_FAILED


def described(refusal: ChannelRefuses) -> dict[str, str]:
    """A refusal in the words of an answer."""
    code = CODES.get(refusal.code, BUSINESS_FAILED)
    return {
        "code": code,
        "msg": MESSAGES[code],
        "sub_code": refusal.code,
        "sub_msg": refusal.message,
    }
