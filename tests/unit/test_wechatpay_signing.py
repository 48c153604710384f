"""Signatures and sealing, held against what WeChat Pay itself publishes and against `cryptography`."""

from __future__ import annotations

import base64
import datetime as dt
import re
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key
from hypothesis import given
from hypothesis import strategies as st

from kuaitui.channels.wechatpay.sealing import SealedUnreadable, open_sealed, seal_field
from kuaitui.channels.wechatpay.signing import Seal, Verdict, authorize, examine
from kuaitui.kernel.invariants import InvariantViolated
from tests.support.fake_wechatpay import NOW, private_key, sealed, signed

# The example of pay.weixin.qq.com/doc/v3/merchant/4012365336, with the key published beside it.
EXAMPLE_KEY = """
MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQCm2mb6q8gMKH/3CNTbpJAIrbqiBiQGEOtjGcBrDYltsGyn
WgNscqT7WvfzU14FQbYcQUC5T4Wvva7mi3fIp3OgX8VqMDNA0qebnr38Pe6kqiLyZgFpJPXlSKDyPyqhRbVTbXssvSMQeVKc
dXeVxoNNeoOlNFHgF/P0io6AmAVnz+hN8SiZKuOsth5/zUTLGvtkgxBcQooQrtXhRcpLT798OyIb9xeJ2HO3xRtMv2+perEz
b4gMibI74UBz+2QEbnkubPE+2jU2rRZudnNEz/BPOt3Qj/w2V6/G0VumGDh6+UeMU0jv4aupHztWITC4Akn0l7lBCNy3lgl8
VFaJnkIxAgMBAAECggEAYGL8aESB7NwciDWW2UdoWUsa7GxFtSdjAz2mFXGdeTsYmVh7b9OOkRGM+Qio4LqEHDBp1mMk5E/c
UJwy1zw8pGGO5nfvs7u9TT3XnHaefIs4YvUgTYAneIuLRkXNN5rQU+CD7mVYczTSz0Vgjqo9wa1LjUz7G0xbBmJgTdMEFGJs
eJjy6AbJo0CGIwp6HJbTm4CmOUgXnnDAIbEGTIRImkZFH/rzneIeR7oZ77FVwxr1CZB2gfRCov/yRPbw8vnryYkmvQ7D/ze3
j5097vRg/MoDGBSdoOwcmo75vyofr0ASzytMjmHYyifqkf5slPropSiJeGf4p/7gtKyF6dE/XQKBgQDVAlJ+4U5ZVGOuDc3+
sAhz8CTzgFNlq9vKuSoFK6hOz2L+cwj+E7NXGkOe2DsHHZNy2Xqxk7caKhPEp1z9hhpMpyLVMoFt6CKemyoRBWDCQwLLwem9
SZF/IAyovBkLiH36P42Jm26gUkNMKC/5Zhtqxf6RZgRQzbVudJi47vIRCwKBgQDIh0+v27Oo+DM3fhObH4I1NrXpWOEGH7OQ
G1dEsMuFYF4hjGhg0kBEP3w9vVdl2+mRllZKTsx9oqjb8OibPLLIH8xsdbAB0WLfJvjLu4wl/ILUzN1RI03dWnnv2EnEeQn6
c3hizvrJ9wR5U4ue9RPVnQooJ0hZF1PUuCL5fWK3MwKBgElReU/PAYbh80WP3t3Rfbdaa32dKBeQ5iCLR5lsA4zM+YgX1HqQ
EWTj126vgvHaDkyz6vWAoL/Sx+cirHFfXWIRDX5Q2hgYlQH+6qXdMgbrxeSYpHnQ/tHBGFpkFELSAnrGsVMyOwvYBO4LzyeL
K9i+ufcWJFoj1FVmsMLHDG8tAoGARdbiiQQCoYG4DMarO2aQ6cmhN6EN1h0qY7EyBqlwaIZ0okiNfdMcMOjPc41DKCWcRmlO
qlihXcxN9TQFPzO3rH1urAOdBjUPs1qWYhZyrDQyuLyVBBJApyxAtajloDjrob+fmQIvVDHk7ACN6xG+E7K6+9salnTKbJap
D618uQMCgYBNy6XUvzLkP/A1U/UZdtcxl8GwU/dturLxz4CyGbqDw4ubaYY2e13lnqHUqQgPtiSyH51nq3tdo8G0YAJdfkSv
KvnfslW91fyEBUKnkdW1o3/1UFU/wprZ7ixVL/F42A4xDu7OFE8EnweJOZ0jWceEOdhCkaIGBCfRnlECRK8UyQ==
"""
EXAMPLE_TIMESTAMP = 1554208460
EXAMPLE_NONCE = "593BEC0C930BF1AFEB40B4A08C8FB242"
EXAMPLE_BODY = (
    '{"appid":"wxd678efh567hg6787","mchid":"1900007291","description":"Image形象店-深圳腾大-QQ公仔",'
    '"out_trade_no":"1217752501201407033233368018","notify_url":"https://www.weixin.qq.com/wxpay/pay.php",'
    '"amount":{"total":100,"currency":"CNY"},"payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}}'
)
EXAMPLE_SIGNATURE = (
    "jnks4dlrPw3ZX+ozVvSK39oa0t7OMBsg83BHAwd8BRdUFiVaQNTLTvci+wURgP1OQBbKYhFGvt7iqYpDSTQkp7Uq1sltaQKy"
    "ncCyrA1g88m5bsKERQfPyT0ahSwKTYJ1CAn9QiJuSJRq1QsQs07eehbU/k9BCS51jTyc1Jpsi2H77HF9f/BnjXAOP3/sPObg"
    "6V5Ee4EzwLox684hhuMuIwHo7D8KFk3LIHOKDcNI4It1aCXydFWNpNK+SG86VUDe5kwoDpw4Ulqfu9z8OFDGbDs9TCxEv8iq"
    "QzbpxOlEVoOe2kalSYM5kApQb3nZcxdUtoE0liJGW3RGUNE0t4v01A=="
)

# The answer of pay.weixin.qq.com …/interface-rules/build-verify-sign-src.html, with its public key.
ANSWER_KEY = """
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAwXNI6sdlknHBnK8Fu2U6Cwor9qY747jP8KAfeBMeveEt1TqaHkLf
aSD07trZLhGpfs8/AHqjhgSMO1O10YQWOrrJ4hjIWPKqxbgrYMkBQc+mwdiWp4W3ByCqxBRagCveCXRWCmuJYovl9H/bsDI0
iGbpVtEOghJtfciisYSgxcLufUDTRkvwxjIBK1pCRjk33jJ5YTBWTHMRtMAOcFLNF6hdEYdX8SPsgHHeLZ5Lv2T/686w1xtg
CHef/sd4uSfWmyzsalQdHG/e4IyYmrhx+O3VBoNDzE3nx23bFeV/RVNCG7cV6VhmYokJNHa/erIPkEmEFID6A5wQOXuxUkmJ
WwIDAQAB
"""
ANSWER_SEAL = Seal(
    timestamp="1722850421",
    nonce="d824f2e086d3c1df967785d13fcd22ef",
    signature=(
        "mfI1CPqvBrgcXfgXMFjdNIhBf27ACE2YyeWsWV9ZI7T7RU0vHvbQpu9Z32ogzc+k8ZC5n3kz7h70eWKjgqNdKQF0eRp8"
        "mVKlmfzMLBVHbssB9jEZEDXThOX1XFqX7s7ymia1hoHQxQagPGzkdWxtlZPZ4ZPvr1RiqkgAu6Is8MZgXXrRoBKqjmSd"
        "rP1N7uxzJ/cjfSiis9FiLjuADoqmQ1P7p2N876YPAol7Rn0+GswwAwxldbdLrmVSjfytfSBJFqTMHn4itojgxSWWN1by"
        "uckQt8hSTEv/Lg97QoeGniYP17T80pJeQyL3b+295FPHSO2AtvCgyIbKMZ0BALilAA=="
    ),
    serial="PUB_KEY_ID_0000000000000024101100397200000006",
)
ANSWER_BODY = b'{"code_url":"weixin://wxpay/bizpayurl?pr=JyC91EIz1"}'
ANSWERED_AT = dt.datetime.fromtimestamp(1722850421, dt.UTC)

# A notification of wechatpay-apiv3/wechatpay-go, core/notify/notify_test.go, with its certificate.
NOTIFIER = """
MIIDVzCCAj+gAwIBAgIJANfOWdH1ItcBMA0GCSqGSIb3DQEBCwUAMEIxCzAJBgNVBAYTAlhYMRUwEwYDVQQHDAxEZWZhdWx0
IENpdHkxHDAaBgNVBAoME0RlZmF1bHQgQ29tcGFueSBMdGQwHhcNMjEwNDI3MDg1NTIzWhcNMzEwNDI1MDg1NTIzWjBCMQsw
CQYDVQQGEwJYWDEVMBMGA1UEBwwMRGVmYXVsdCBDaXR5MRwwGgYDVQQKDBNEZWZhdWx0IENvbXBhbnkgTHRkMIIBIjANBgkq
hkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA2VCTd91fnUn73Xy9DLvt/V62TVxRTEEstVdeRaZ3B3leO0pldE806mXO4RwdHXag
HQ4vGeZN0yqm++rDsGK+U3AH7kejyD2pXshNP9Cq5YwbptiLGtjcquw4HNxJQUOmDeJf2vg6byms9RUipiq4SzbJKqJFlUpb
uIPDpSpWz10PYmyCNeDGUUK65E5h2B834uxl1zNLYQCrkdBzb8oUxwYeP5a2DNxmjL5lsJML7DGr5znsevnoqGRwTm9fxCGf
y8wus7hwKz6clt3Whmmda7UAdb1c08hEQFVRbF14AR73xbnd8N0obCWJPCbzMCtkaSef4FdEEgEXJiw0VAJT8wIDAQABo1Aw
TjAdBgNVHQ4EFgQUT1c7nd/SUO76HSoZumNUJv1R5PwwHwYDVR0jBBgwFoAUT1c7nd/SUO76HSoZumNUJv1R5PwwDAYDVR0T
BAUwAwEB/zANBgkqhkiG9w0BAQsFAAOCAQEAfTjxKRQMzNB/U6ZoCUS+BSNfa2Oh0plMN6ZuzwiVVZwg1jywvv5yv04koS7P
d4i9E4gt9ZBUQXlpq+A3oOCEEHNRR6b2kyazGRM7s0OP5X21WrbpSmKmU6K7hkfx30yYs08LVs/Q8DIhvaj1FCFeJzUCzYn/
fHMq4tsbKO0dKAeydPM/nrUZBmaYQVKMVOORGLFjFKVO7JV6Kq/R86ouhjEPgJOe2xulNBUcjicqtZlBdEh/PWCYP2SpGVDc
lKm8jeo175T3EVAkdKzzmfpxtMmnMlmqcTJOU9TxuGvNASMtjj7pYIerTx+xgZDXEVBWFW9PjJ0TV06tCRsgSHItgg==
"""
NOTIFICATION_SEAL = Seal(
    timestamp="1624523846",
    nonce="EcZ9Cmy4Xyx1i6RlJQzLcCyEqDa26NBz",
    signature=(
        "tJHIiIS9eB2hAYstmAmbbD3ZE5LiIm/Ug5tuL4fC0YOFRWIHV39UFIZXC0e9Wl6lBu6sKvkqDkzpqzBsVHyXFlbYZTOQ"
        "rVdG4b6LfTnK4mikv9++ixJMd3vTf2yCqvBkh98zs3Ds5zsYQakzbcwhmw4fMJs4nPLws28H0UW9FjDR//rxELLwXvV1"
        "VEA1IBLX70xptjL8hrfUjEE8kkry6yNJTHZRU8CAc7qHli2Ng1V1qb9ARbK8A3ThmFmPQvRGrapI/jS2laKKgYUmfdEd"
        "kNO6B2Cke5e8VTxY406ArAmQ90GAihDwIcb16TQMnzCMBoutnwZKNiKRACrFmtxw2Q=="
    ),
    serial="D7CE59D1F522D701",
)
NOTIFICATION_RESOURCE = {
    "original_type": "payscore",
    "algorithm": "AEAD_AES_256_GCM",
    "ciphertext": (
        "YDS3lKPaC4Y52Gf3uhft5qUBlIa8b428AWTtTauHQfQrRw+X1WpiuHIDy0vo1Vd6VEq67aVyqPdDYMkRVSDaZL3iZttev"
        "RMOoPKMifozg6XPWjIZumks/GpT48lI4NizyeaqLBokNebthah3o1H76qSlO9NkDjp9bzmKLEYYH9TEklFUpsvPqOTOcg"
        "SLgh21YJXYR7dEBXFgRLiNIKRgO5JdXh1hccRUAlyVWxE54PXpnQ=="
    ),
    "associated_data": "payscore",
    "nonce": "Kj7QIyUiYx1q",
}
NOTIFICATION_BODY = (
    '{"id":"3119dfba-e649-5eec-ab1e-3412bc4d2e17","create_time":"2021-06-24T16:37:26+08:00",'
    '"resource_type":"encrypt-resource","event_type":"PAYSCORE.USER_OPEN_SERVICE",'
    '"summary":"签约成功","resource":{"original_type":"payscore","algorithm":"AEAD_AES_256_GCM",'
    f'"ciphertext":"{NOTIFICATION_RESOURCE["ciphertext"]}",'
    '"associated_data":"payscore","nonce":"Kj7QIyUiYx1q"}}'
)
NOTIFIED_AT = dt.datetime.fromtimestamp(1624523846, dt.UTC)


def example_key() -> RSAPrivateKey:
    key = load_der_private_key(base64.b64decode(EXAMPLE_KEY), password=None)
    assert isinstance(key, RSAPrivateKey)
    return key


def public_key(text: str) -> RSAPublicKey:
    key = load_der_public_key(base64.b64decode(text))
    assert isinstance(key, RSAPublicKey)
    return key


def test_a_request_is_signed_as_the_official_example_is() -> None:
    header = authorize(
        mchid="1900007291",
        serial="408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB",
        key=example_key(),
        method="POST",
        path="/v3/pay/transactions/jsapi",
        timestamp=EXAMPLE_TIMESTAMP,
        nonce=EXAMPLE_NONCE,
        body=EXAMPLE_BODY.encode(),
    )

    assert header == (
        f'WECHATPAY2-SHA256-RSA2048 mchid="1900007291",nonce_str="{EXAMPLE_NONCE}",'
        f'signature="{EXAMPLE_SIGNATURE}",timestamp="{EXAMPLE_TIMESTAMP}",'
        'serial_no="408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB"'
    )


def test_the_official_example_of_an_answer_is_genuine() -> None:
    verdict = examine(ANSWER_SEAL, ANSWER_BODY, key=public_key(ANSWER_KEY), now=ANSWERED_AT)

    assert verdict is Verdict.GENUINE


def test_the_official_library_s_notification_is_genuine_and_opens() -> None:
    certificate = x509.load_der_x509_certificate(base64.b64decode(NOTIFIER))
    key = certificate.public_key()
    assert isinstance(key, RSAPublicKey)

    verdict = examine(NOTIFICATION_SEAL, NOTIFICATION_BODY.encode(), key=key, now=NOTIFIED_AT)
    content = open_sealed(b"testMchAPIv3Key0", NOTIFICATION_RESOURCE)

    assert f"{certificate.serial_number:X}" == NOTIFICATION_SEAL.serial
    assert verdict is Verdict.GENUINE
    assert content == (
        b'{"mchid":"1234567890","appid":"054aa7d7a2a54ab5898df65bd96f001c",'
        b'"create_time":"2020-06-30T12:12:00+08:00",'
        b'"out_contract_code":"21640bdbd08e473e828f3206a2741c6e"}'
    )


def test_the_official_library_s_sealed_text_opens() -> None:
    """wechatpay-apiv3/wechatpay-go, utils/aes_test.go."""
    resource = {
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": "FsdXzxryWfKwvLJKf8LG/ToRPTRh8RN9wROC",
        "nonce": "wCq51qZv4Yfg",
        "associated_data": "Dl56FrqWQJF1t9LtC3vEUsniZKvbqdR8",
    }

    assert open_sealed(b"testAPIv3Key0000", resource) == b"Hello World"


@given(position=st.integers(0, len(ANSWER_BODY) - 1), flip=st.integers(1, 255))
def test_an_answer_with_any_changed_byte_is_not_genuine(position: int, flip: int) -> None:
    body = bytearray(ANSWER_BODY)
    body[position] ^= flip

    verdict = examine(ANSWER_SEAL, bytes(body), key=public_key(ANSWER_KEY), now=ANSWERED_AT)

    assert verdict is Verdict.WRONG


@pytest.mark.parametrize("name", ["timestamp", "nonce"])
def test_timestamp_and_nonce_are_signed_too(name: str) -> None:
    seal = replace(ANSWER_SEAL, **{name: getattr(ANSWER_SEAL, name)[:-1] + "0"})

    assert examine(seal, ANSWER_BODY, key=public_key(ANSWER_KEY), now=ANSWERED_AT) is Verdict.WRONG


@pytest.mark.parametrize(
    ("age_s", "verdict"),
    [
        (300, Verdict.GENUINE),
        (301, Verdict.STALE),
        (-300, Verdict.GENUINE),
        (-301, Verdict.STALE),
        (3 * 86400, Verdict.STALE),
    ],
)
def test_a_signature_is_good_for_five_minutes_to_either_side(age_s: int, verdict: Verdict) -> None:
    now = ANSWERED_AT + dt.timedelta(seconds=age_s)

    assert examine(ANSWER_SEAL, ANSWER_BODY, key=public_key(ANSWER_KEY), now=now) is verdict


@pytest.mark.parametrize("timestamp", ["soon", "-1", "1e9", "١٧٢٢٨٥٠٤٢١", "9" * 13, " 1722850421"])
def test_a_signed_time_that_is_none_is_stale(timestamp: str) -> None:
    key, body = private_key("wechat"), b"{}"
    message = f"{timestamp}\nnonce\n".encode() + body + b"\n"
    signature = base64.b64encode(key.sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()
    seal = Seal(timestamp, "nonce", signature, "serial")

    assert examine(seal, body, key=key.public_key(), now=NOW) is Verdict.STALE


def test_a_probe_is_told_from_a_forgery() -> None:
    seal = replace(ANSWER_SEAL, signature="WECHATPAY/SIGNTEST/" + ANSWER_SEAL.signature)

    verdict = examine(seal, ANSWER_BODY, key=public_key(ANSWER_KEY), now=ANSWERED_AT)

    assert verdict is Verdict.PROBE


@pytest.mark.parametrize("signature", ["not base64!", "", "AAAA", "=" * 344])
def test_a_signature_that_is_none_is_wrong_and_raises_nothing(signature: str) -> None:
    seal = replace(ANSWER_SEAL, signature=signature)

    verdict = examine(seal, ANSWER_BODY, key=public_key(ANSWER_KEY), now=ANSWERED_AT)

    assert verdict is Verdict.WRONG


def test_without_the_key_or_without_a_seal_nothing_is_genuine() -> None:
    assert examine(ANSWER_SEAL, ANSWER_BODY, key=None, now=ANSWERED_AT) is Verdict.KEY_UNKNOWN
    assert examine(None, ANSWER_BODY, key=None, now=ANSWERED_AT) is Verdict.MISSING


@pytest.mark.parametrize("missing", ["Timestamp", "Nonce", "Signature", "Serial"])
def test_a_seal_has_four_parts(missing: str) -> None:
    headers = signed(b"{}")
    del headers[f"Wechatpay-{missing}"]

    assert Seal.read(headers) is None
    assert Seal.read({**headers, f"Wechatpay-{missing}": "9" * 1025}) is None


def test_a_seal_is_read_whatever_the_case_of_its_headers() -> None:
    headers = signed(b"{}")

    lower = Seal.read({name.lower(): value for name, value in headers.items()})

    assert lower == Seal.read(headers) is not None


KEY = b"k" * 32


@given(text=st.text(max_size=40), secret=st.binary(min_size=32, max_size=32))
def test_a_sealed_field_opens_with_the_private_key_only(text: str, secret: bytes) -> None:
    key = private_key("wechat")

    opened = key.decrypt(
        base64.b64decode(seal_field(key.public_key(), text, secret=secret, context="N1:user_name")),
        padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None),
    )

    assert opened.decode() == text


def test_the_same_field_of_the_same_number_is_sealed_the_same_and_no_other_is() -> None:
    key = private_key("wechat").public_key()

    first = seal_field(key, "王小明", secret=KEY, context="N1:user_name")

    assert seal_field(key, "王小明", secret=KEY, context="N1:user_name") == first
    others = {
        seal_field(key, "王小明", secret=KEY, context="N2:user_name"),
        seal_field(key, "王小明", secret=KEY, context="N1:real_name"),
        seal_field(key, "王大明", secret=KEY, context="N1:user_name"),
        seal_field(key, "王小明", secret=b"l" * 32, context="N1:user_name"),
    }
    assert len(others | {first}) == 5
    assert re.fullmatch(r"[0-9A-Za-z+/]+=*", first)


def test_a_text_too_long_to_be_sealed_is_a_bug() -> None:
    with pytest.raises(InvariantViolated):
        seal_field(private_key("wechat").public_key(), "长" * 72, secret=KEY, context="N1:name")


@pytest.mark.parametrize(
    "change",
    [
        {"ciphertext": "AAAA"},
        {"ciphertext": "not base64!"},
        {"ciphertext": None},
        {"nonce": "another one!"},
        {"nonce": ""},
        {"associated_data": "transaction"},
        {"algorithm": "AEAD_SM4_GCM"},
    ],
)
def test_a_resource_with_any_part_changed_does_not_open(change: dict[str, object]) -> None:
    with pytest.raises(SealedUnreadable):
        open_sealed(KEY, {**sealed(b"{}", key=KEY), **change})


@pytest.mark.parametrize("resource", [None, [], "text", {}])
def test_what_is_no_resource_does_not_open(resource: object) -> None:
    with pytest.raises(SealedUnreadable):
        open_sealed(KEY, resource)
