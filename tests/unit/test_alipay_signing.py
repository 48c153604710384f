"""Alipay's signatures, certificates and answers, against its own published vectors and by rule."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from kuaitui.channels.alipay.answers import Answer, read_answer
from kuaitui.channels.alipay.keys import (
    AlipayKey,
    AlipayKeyUnreadable,
    read_certificate,
    read_private_key,
    read_public_key,
    read_root_serial,
    read_serial,
)
from kuaitui.channels.alipay.signing import (
    is_signed,
    notification_text,
    request_text,
    sign,
)
from kuaitui.channels.port import Unknown
from tests.support import alipay_golden as golden
from tests.support.alipay import (
    ALIPAY_SERIAL,
    answer,
    certificate,
    kept,
    pem,
    private_key,
    public_pem,
    signed_by,
    success,
    written,
)

METHOD = "alipay.trade.refund"
KEYS = (AlipayKey(private_key("alipay").public_key(), ALIPAY_SERIAL),)
ISSUER = {"C": "CN", "O": "A root, Inc.", "CN": "Root R1"}


def test_the_serials_of_published_certificates_are_as_published(tmp_path: Path) -> None:
    application = kept(tmp_path, "application.crt", golden.APP_CERTIFICATE)
    alipay = kept(tmp_path, "alipay.crt", golden.ALIPAY_CERTIFICATE)

    assert read_serial(Path(application)) == golden.APP_SERIAL
    assert read_certificate(Path(alipay)).serial == golden.ALIPAY_SERIAL


def test_the_serial_of_a_bundle_of_roots_joins_those_of_its_rsa_roots(tmp_path: Path) -> None:
    first = certificate("root 1", issuer=ISSUER, serial=1)
    second = certificate("root 2", issuer=ISSUER, serial=2)
    each = [
        read_serial(Path(kept(tmp_path, f"{number}.crt", root)))
        for number, root in enumerate((first, second))
    ]

    together = read_root_serial(Path(kept(tmp_path, "roots.crt", first + b"\n" + second)))

    assert each[0] != each[1]
    assert together == "_".join(each)


def test_a_notification_that_alipay_really_sent_is_genuine(tmp_path: Path) -> None:
    key = read_public_key(Path(kept(tmp_path, "key", golden.NOTIFICATION_KEY)))
    form = golden.NOTIFICATION

    assert is_signed([key], form["sign"], notification_text(form))
    assert not is_signed([key], form["sign"], notification_text({**form, "total_amount": "9.10"}))
    assert not is_signed([key], form["sign"], request_text(form))


def test_an_answer_that_the_gateway_really_gave_is_genuine(tmp_path: Path) -> None:
    key = read_public_key(Path(kept(tmp_path, "key", golden.ANSWER_KEY)))

    told = read_answer(golden.ANSWER, method=golden.ANSWER_METHOD, keys=(key,))
    changed = read_answer(
        golden.ANSWER.replace(b'"msg":"Success"', b'"msg":"success"'),
        method=golden.ANSWER_METHOD,
        keys=(key,),
    )

    assert isinstance(told, Answer)
    assert told.is_success
    assert changed == Unknown("signature_wrong")


def test_sign_type_is_signed_in_a_request_and_not_in_a_notification() -> None:
    parameters = {"b": "2", "a": "1", "sign_type": "RSA2", "sign": "x", "empty": ""}

    assert request_text(parameters) == b"a=1&b=2&sign_type=RSA2"
    assert notification_text(parameters) == b"a=1&b=2"


@pytest.mark.parametrize("signature", ["", "!", "AAAA", "ä"])
def test_what_is_no_signature_signs_nothing(signature: str) -> None:
    assert not is_signed(KEYS, signature, b"text")


def test_a_private_key_is_read_framed_and_unframed(tmp_path: Path) -> None:
    bare = b"".join(pem("app").splitlines()[1:-1])
    pkcs1 = private_key("app").private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )

    for content in (pem("app"), bare, pkcs1, b"".join(pkcs1.splitlines()[1:-1])):
        key = read_private_key(Path(kept(tmp_path, "key", content)))
        assert sign(key, b"text") == signed_by("app", b"text")


@pytest.mark.parametrize(
    "content", [b"", b"no key", b"-----BEGIN CERTIFICATE-----\n", b"x" * 300_000]
)
def test_a_file_without_a_key_is_refused_by_its_name(tmp_path: Path, content: bytes) -> None:
    file = Path(kept(tmp_path, "wrong", content))

    for read in (read_private_key, read_public_key, read_certificate, read_root_serial):
        with pytest.raises(AlipayKeyUnreadable, match="file=wrong"):
            read(file)
    with pytest.raises(AlipayKeyUnreadable, match="file=absent"):
        read_public_key(tmp_path / "absent")


def test_a_public_key_is_read_framed_and_unframed(tmp_path: Path) -> None:
    bare = b"".join(public_pem("alipay").splitlines()[1:-1])
    signature = signed_by("alipay", b"text")

    for content in (public_pem("alipay"), bare):
        key = read_public_key(Path(kept(tmp_path, "key", content)))
        assert is_signed([key], signature, b"text")


PLAIN = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(told=st.dictionaries(PLAIN, PLAIN | st.lists(PLAIN, max_size=3), max_size=5))
def test_whatever_stands_in_its_strings_an_answer_is_verified_over_its_own_text(
    told: dict[str, object],
) -> None:
    fields = success(**{"brace": '"}{', "\\": "\\", **told})
    for text in (written(fields), json.dumps(fields, indent=1)):
        read = read_answer(answer(METHOD, text), method=METHOD, keys=KEYS)

        assert isinstance(read, Answer)
        assert read.fields == fields


def test_numbers_of_an_answer_are_kept_as_they_were_written() -> None:
    read = read_answer(answer(METHOD, '{"code":10000,"refund_fee":0.10}'), method=METHOD, keys=KEYS)

    assert isinstance(read, Answer)
    assert (read.text("code"), read.text("refund_fee")) == ("10000", "0.10")


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"is_signed": False}, "unsigned.10000"),
        ({"signer": "a stranger"}, "signature_wrong"),
        ({"serial": "e" * 32}, "certificate_unknown"),
        ({"member": "alipay_trade_query_response"}, "unreadable"),
    ],
)
def test_an_answer_nobody_vouches_for_is_unknown(changes: dict[str, str], cause: str) -> None:
    body = answer(METHOD, written(success()), **changes)

    assert read_answer(body, method=METHOD, keys=KEYS) == Unknown(cause)


def test_an_unsigned_error_is_unknown_whatever_it_claims() -> None:
    text = '{"code":"40004","sub_code":"ACQ.TRADE_HAS_FINISHED"}'

    read = read_answer(answer(METHOD, text, is_signed=False), method=METHOD, keys=KEYS)

    assert read == Unknown("unsigned.ACQ.TRADE_HAS_FINISHED")


def test_an_error_of_the_gateway_itself_is_read_if_it_is_signed() -> None:
    text = '{"code":"40002","sub_code":"isv.invalid-app-id"}'

    read = read_answer(answer(METHOD, text, member="error_response"), method=METHOD, keys=KEYS)

    assert isinstance(read, Answer)
    assert read.cause == "isv.invalid-app-id"


def test_a_code_of_a_stranger_brings_nothing_into_a_log_line() -> None:
    text = written({"sub_code": "X\n王小明 " + "y" * 200})

    read = read_answer(answer(METHOD, text, is_signed=False), method=METHOD, keys=KEYS)

    assert isinstance(read, Unknown)
    assert read.cause.isascii()
    assert "\n" not in read.cause
    assert len(read.cause) < 80


GOOD = answer(METHOD, written(success()))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{",
        b"\xff",
        b"null",
        GOOD[:-1],
        GOOD + b"x",
        GOOD + GOOD,
        GOOD.replace(b'{"alipay', b'{"sign":"","alipay', 1),
        answer(METHOD, '{"code":"10000","code":"40004"}'),
        answer(METHOD, '{"code":NaN}'),
        answer(METHOD, '"10000"'),
        answer(METHOD, "[" * 30_000),
        b'{"a":' + b"[" * 60_000,
    ],
    ids=range(15),
)
def test_an_answer_that_two_readers_could_read_differently_is_unknown(body: bytes) -> None:
    assert read_answer(body, method=METHOD, keys=KEYS) == Unknown("unreadable")


def test_old_and_new_keys_of_alipay_hold_side_by_side() -> None:
    old, new = (AlipayKey(private_key(whose).public_key(), whose * 8) for whose in ("old1", "new1"))
    by_new = answer(METHOD, written(success()), signer="new1", serial=new.serial)
    by_old_as_new = answer(METHOD, written(success()), signer="old1", serial=new.serial)

    assert isinstance(read_answer(by_new, method=METHOD, keys=(old, new)), Answer)
    assert read_answer(by_new, method=METHOD, keys=(old,)) == Unknown("certificate_unknown")
    assert read_answer(by_old_as_new, method=METHOD, keys=(old, new)) == Unknown("signature_wrong")


def test_bare_keys_are_tried_one_after_the_other() -> None:
    old, new = (AlipayKey(private_key(whose).public_key()) for whose in ("old1", "new1"))
    by_new = answer(METHOD, written(success()), signer="new1", serial=None)

    assert isinstance(read_answer(by_new, method=METHOD, keys=(old, new)), Answer)
    assert read_answer(by_new, method=METHOD, keys=(old,)) == Unknown("signature_wrong")
