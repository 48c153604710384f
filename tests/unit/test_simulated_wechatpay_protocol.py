"""The simulated WeChat Pay signs and encrypts as the real one: golden vectors, and what is refused.

The vectors are those of the official pages pay.weixin.qq.com/doc/v3/merchant/4012365336 (a request)
and 4013053420 (an answer); of the pages' demonstration keys only the public halves are here.
"""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kuaitui.channels.simulator.wechatpay.wire_protocol import (
    Authorization,
    AuthorizationRefused,
    answer_message,
    decrypt_field,
    encrypt_resource,
    is_signed,
    request_message,
    sign,
    signed_headers,
)

MERCHANT_KEY = b"""-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAptpm+qvIDCh/9wjU26SQ
CK26ogYkBhDrYxnAaw2JbbBsp1oDbHKk+1r381NeBUG2HEFAuU+Fr72u5ot3yKdz
oF/FajAzQNKnm569/D3upKoi8mYBaST15Uig8j8qoUW1U217LL0jEHlSnHV3lcaD
TXqDpTRR4Bfz9IqOgJgFZ8/oTfEomSrjrLYef81Eyxr7ZIMQXEKKEK7V4UXKS0+/
fDsiG/cXidhzt8UbTL9vqXqxM2+IDImyO+FAc/tkBG55LmzxPto1Nq0WbnZzRM/w
Tzrd0I/8NlevxtFbphg4evlHjFNI7+GrqR87ViEwuAJJ9Je5QQjct5YJfFRWiZ5C
MQIDAQAB
-----END PUBLIC KEY-----"""
AUTHORIZATION = (
    'WECHATPAY2-SHA256-RSA2048 mchid="1900007291",nonce_str="593BEC0C930BF1AFEB40B4A08C8FB242",'
    'signature="jnks4dlrPw3ZX+ozVvSK39oa0t7OMBsg83BHAwd8BRdUFiVaQNTLTvci+wURgP1OQBbKYhFGvt7iqYpDSTQk'
    "p7Uq1sltaQKyncCyrA1g88m5bsKERQfPyT0ahSwKTYJ1CAn9QiJuSJRq1QsQs07eehbU/k9BCS51jTyc1Jpsi2H77HF9f/Bn"
    "jXAOP3/sPObg6V5Ee4EzwLox684hhuMuIwHo7D8KFk3LIHOKDcNI4It1aCXydFWNpNK+SG86VUDe5kwoDpw4Ulqfu9z8OFDG"
    'bDs9TCxEv8iqQzbpxOlEVoOe2kalSYM5kApQb3nZcxdUtoE0liJGW3RGUNE0t4v01A==",'
    'timestamp="1554208460",serial_no="408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB"'
)
BODY = (
    '{"appid":"wxd678efh567hg6787","mchid":"1900007291","description":"Image形象店-深圳腾大-QQ公仔",'
    '"out_trade_no":"1217752501201407033233368018",'
    '"notify_url":"https://www.weixin.qq.com/wxpay/pay.php",'
    '"amount":{"total":100,"currency":"CNY"},"payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}}'
).encode()
SIGNED_AT = 1554208460.0
PLATFORM_KEY = b"""-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAwXNI6sdlknHBnK8Fu2U6
Cwor9qY747jP8KAfeBMeveEt1TqaHkLfaSD07trZLhGpfs8/AHqjhgSMO1O10YQW
OrrJ4hjIWPKqxbgrYMkBQc+mwdiWp4W3ByCqxBRagCveCXRWCmuJYovl9H/bsDI0
iGbpVtEOghJtfciisYSgxcLufUDTRkvwxjIBK1pCRjk33jJ5YTBWTHMRtMAOcFLN
F6hdEYdX8SPsgHHeLZ5Lv2T/686w1xtgCHef/sd4uSfWmyzsalQdHG/e4IyYmrhx
+O3VBoNDzE3nx23bFeV/RVNCG7cV6VhmYokJNHa/erIPkEmEFID6A5wQOXuxUkmJ
WwIDAQAB
-----END PUBLIC KEY-----"""
ANSWER = b'{"code_url":"weixin://wxpay/bizpayurl?pr=JyC91EIz1"}'
ANSWER_SIGNATURE = (
    "mfI1CPqvBrgcXfgXMFjdNIhBf27ACE2YyeWsWV9ZI7T7RU0vHvbQpu9Z32ogzc+k8ZC5n3kz7h70eWKjgqNdKQF0eRp8mVKlm"
    "fzMLBVHbssB9jEZEDXThOX1XFqX7s7ymia1hoHQxQagPGzkdWxtlZPZ4ZPvr1RiqkgAu6Is8MZgXXrRoBKqjmSdrP1N7uxzJ/"
    "cjfSiis9FiLjuADoqmQ1P7p2N876YPAol7Rn0+GswwAwxldbdLrmVSjfytfSBJFqTMHn4itojgxSWWN1byuckQt8hSTEv/Lg9"
    "7QoeGniYP17T80pJeQyL3b+295FPHSO2AtvCgyIbKMZ0BALilAA=="
)


def public(pem: bytes) -> RSAPublicKey:
    key = serialization.load_pem_public_key(pem)
    assert isinstance(key, RSAPublicKey)
    return key


def require(header: str = AUTHORIZATION, *, body: bytes = BODY, now: float = SIGNED_AT) -> None:
    Authorization.parse(header).require_valid(
        method="POST",
        target="/v3/pay/transactions/jsapi",
        body=body,
        key=public(MERCHANT_KEY),
        now=now,
    )


def test_the_official_request_is_taken() -> None:
    require()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"body": BODY.replace(b":100", b":101")}, "signature"),
        ({"now": SIGNED_AT + 301}, "timestamp"),
        ({"now": SIGNED_AT - 301}, "timestamp"),
        ({"header": AUTHORIZATION.replace("593BEC", "593BED")}, "signature"),
        ({"header": AUTHORIZATION.replace("jnks", "====")}, "signature"),
        ({"header": AUTHORIZATION.replace("RSA2048", "RSA4096")}, "scheme"),
        ({"header": AUTHORIZATION.replace('timestamp="1554208460",', "")}, "five fields"),
        ({"header": AUTHORIZATION + ',mchid="1900007291"'}, "five fields"),
        ({"header": ""}, "scheme"),
    ],
)
def test_a_changed_request_is_refused(changes: dict, why: str) -> None:
    with pytest.raises(AuthorizationRefused, match=why):
        require(**changes)


def test_the_official_answer_is_signed_over_the_same_words() -> None:
    message = answer_message("1722850421", "d824f2e086d3c1df967785d13fcd22ef", ANSWER)

    assert is_signed(public(PLATFORM_KEY), message, ANSWER_SIGNATURE)
    assert not is_signed(public(PLATFORM_KEY), message + b" ", ANSWER_SIGNATURE)


def test_what_it_signs_is_what_its_headers_say() -> None:
    key = generate_private_key(public_exponent=65537, key_size=2048)

    headers = signed_headers(key, "PUB_KEY_ID_01", b"{}", now=1.5)

    message = answer_message(headers["Wechatpay-Timestamp"], headers["Wechatpay-Nonce"], b"{}")
    assert headers["Wechatpay-Timestamp"] == "1"
    assert headers["Wechatpay-Serial"] == "PUB_KEY_ID_01"
    assert is_signed(key.public_key(), message, headers["Wechatpay-Signature"])


def test_a_request_without_a_body_keeps_its_last_line() -> None:
    message = request_message("GET", "/v3/certificates", "1554208460", "N", b"")

    assert message == b"GET\n/v3/certificates\n1554208460\nN\n\n"


def test_a_resource_opens_with_the_shared_key_only() -> None:
    key = b"k" * 32

    sealed = encrypt_resource(key, json.dumps({"state": "SUCCESS"}).encode(), associated="refund")

    opened = AESGCM(key).decrypt(
        sealed["nonce"].encode(), base64.b64decode(sealed["ciphertext"]), b"refund"
    )
    assert json.loads(opened) == {"state": "SUCCESS"}
    assert len(sealed["nonce"]) == 12
    assert sealed["algorithm"] == "AEAD_AES_256_GCM"


def test_a_field_sealed_for_another_key_is_not_understood() -> None:
    own, other = (generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    padding = OAEP(mgf=MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)
    sealed = base64.b64encode(own.public_key().encrypt("王小明".encode(), padding)).decode()

    assert decrypt_field(own, sealed) == "王小明"
    with pytest.raises(ValueError, match="[Dd]ecrypt"):
        decrypt_field(other, sealed)
    assert sign(own, b"x") != sign(other, b"x")
