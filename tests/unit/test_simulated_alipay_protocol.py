"""The simulated Alipay signs, numbers and writes as the real one: Alipay's own vectors, and rules."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509 import load_pem_x509_certificate
from hypothesis import given
from hypothesis import strategies as st

from kuaitui.channels.simulator.alipay.amounts import fen, yuan
from kuaitui.channels.simulator.alipay.answers import rendered
from kuaitui.channels.simulator.alipay.notices import NOT_COUNTED
from kuaitui.channels.simulator.alipay.refusals import described, is_signed, refuse
from kuaitui.channels.simulator.alipay.wire_protocol import (
    is_signed as is_signed_by,
)
from kuaitui.channels.simulator.alipay.wire_protocol import (
    serial_of,
    serial_of_all,
    sign,
    text_to_sign,
)
from kuaitui.channels.simulator.store import ChannelRefuses
from tests.support import alipay_golden as golden


def public(text: bytes) -> RSAPublicKey:
    key = load_der_public_key(base64.b64decode(text))
    assert isinstance(key, RSAPublicKey)
    return key


def test_a_notification_is_signed_over_what_alipay_signs() -> None:
    text = text_to_sign(golden.NOTIFICATION, without=NOT_COUNTED)

    assert is_signed_by(public(golden.NOTIFICATION_KEY), text, golden.NOTIFICATION["sign"])
    with_type = text_to_sign(golden.NOTIFICATION)
    assert not is_signed_by(public(golden.NOTIFICATION_KEY), with_type, golden.NOTIFICATION["sign"])


def test_an_answer_is_written_and_signed_as_alipay_does() -> None:
    answer = json.loads(golden.ANSWER)
    member = f"{golden.ANSWER_METHOD.replace('.', '_')}_response"

    text = rendered(answer[member]).encode()

    assert text in golden.ANSWER
    assert is_signed_by(public(golden.ANSWER_KEY), text, answer["sign"])
    assert not is_signed_by(public(golden.ANSWER_KEY), text + b" ", answer["sign"])


def test_certificates_have_the_numbers_that_alipay_gives_them() -> None:
    certificates = [
        load_pem_x509_certificate(content)
        for content in (golden.APP_CERTIFICATE, golden.ALIPAY_CERTIFICATE)
    ]

    assert [serial_of(one) for one in certificates] == [golden.APP_SERIAL, golden.ALIPAY_SERIAL]
    assert serial_of_all(certificates) == f"{golden.APP_SERIAL}_{golden.ALIPAY_SERIAL}"


def test_what_says_nothing_is_not_signed() -> None:
    assert text_to_sign({"b": "2", "a": "1", "c": "", "sign": "x"}) == b"a=1&b=2"


def test_slashes_are_escaped_and_chinese_is_not() -> None:
    assert rendered({"qr_code": "https://店/1"}) == '{"qr_code":"https:\\/\\/店\\/1"}'


@pytest.mark.parametrize("signature", ["", "!", "AAAA"])
def test_what_is_no_signature_signs_nothing(signature: str) -> None:
    key = generate_private_key(public_exponent=65537, key_size=2048)

    assert is_signed_by(key.public_key(), b"text", sign(key, b"text"))
    assert not is_signed_by(key.public_key(), b"text", signature)


@pytest.mark.parametrize(
    ("sub_code", "code", "signed"),
    [
        ("isp.unknow-error", "20000", False),
        ("isv.missing-method", "40001", False),
        ("isv.invalid-signature", "40002", False),
        ("isv.insufficient-isv-permissions", "40006", False),
        ("ACQ.SYSTEM_ERROR", "40004", True),
        ("CODE_OF_TOMORROW", "40004", True),
    ],
)
def test_the_gateway_refuses_unsigned_and_the_business_signed(
    sub_code: str, code: str, signed: bool
) -> None:
    refusal = refuse(sub_code)

    assert described(refusal)["code"] == code
    assert is_signed(refusal) is signed


@given(st.integers(min_value=1, max_value=10**10))
def test_an_amount_is_read_as_it_was_written(minor: int) -> None:
    assert fen(yuan(minor), field="amount") == minor


@pytest.mark.parametrize("written", ["1.001", "0", "0.00", "-1.00", "1e2", "", "1.", None, " 1.00"])
def test_what_is_no_amount_is_refused(written: object) -> None:
    with pytest.raises(ChannelRefuses):
        fen(written, field="amount")
