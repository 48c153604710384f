"""Our side of Alipay's wire beside a client that others wrote (python-alipay-sdk)."""

from __future__ import annotations

import warnings
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from alipay import AliPay, AliPayConfig, DCAliPay
    from alipay.exceptions import AliPayValidationError

from kuaitui.channels.alipay.answers import Answer, read_answer
from kuaitui.channels.alipay.keys import AlipayKey, read_root_serial, read_serial
from kuaitui.channels.port import (
    OriginalPayment,
    PayInMethod,
    PayInOpened,
    PayInOrder,
    PayoutInstruction,
)
from kuaitui.kernel.money import Money
from tests.support import alipay_golden as golden
from tests.support.alipay import (
    APP_ID,
    DEADLINE_S,
    NOW,
    StandIn,
    answer,
    certificate,
    kept,
    notification,
    pem,
    private_key,
    public_pem,
    success,
    written,
)

METHOD = "alipay.trade.refund"
MEMBER = "alipay_trade_refund_response"
KEYS = (AlipayKey(private_key("alipay").public_key()),)
ISSUERS = [
    {"C": "CN", "O": "Ant Financial test", "OU": "Certification Authority", "CN": f"Root R{number}"}
    for number in (1, 2)
]


@pytest.fixture(scope="module")
def peer() -> AliPay:
    return AliPay(
        appid=APP_ID,
        app_notify_url=None,
        app_private_key_string=pem("app").decode(),
        alipay_public_key_string=public_pem("alipay").decode(),
        sign_type="RSA2",
        config=AliPayConfig(timeout=5),
    )


def test_it_signs_our_request_as_we_do(peer: AliPay) -> None:
    alipay = StandIn()
    alipay.will_answer(METHOD, success())
    target = OriginalPayment("2026112522001", Money(500_000, "CNY"))
    alipay.channel().submit(
        PayoutInstruction("pay_1_a", Money(1, "CNY"), target), deadline_s=DEADLINE_S
    )

    theirs = dict(parse_qsl(peer.sign_data(dict(alipay.calls[0].form))))

    ours = dict(parse_qsl(alipay.calls[0].body.decode()))
    assert theirs == ours


def test_it_signs_our_link_as_we_do(peer: AliPay) -> None:
    order = PayInOrder("payin_1", Money(1, "CNY"), PayInMethod.LINK, "店铺保证金 & 更多", NOW)
    opened = StandIn().channel().open_pay_in(order, deadline_s=DEADLINE_S)
    assert isinstance(opened, PayInOpened)
    ours = dict(parse_qsl(urlsplit(opened.pay_url).query))

    unsigned = {name: value for name, value in ours.items() if name != "sign"}

    assert dict(parse_qsl(peer.sign_data(unsigned))) == ours


def test_both_read_the_same_answer(peer: AliPay) -> None:
    fields = success(trade_no="2026112522001", fund_change="Y", refund_fee="1.00")
    body = answer(METHOD, written(fields), serial=None)

    ours = read_answer(body, method=METHOD, keys=KEYS)

    assert isinstance(ours, Answer)
    assert peer._verify_and_return_sync_response(body.decode(), MEMBER) == ours.fields


def test_a_brace_in_a_name_confuses_it_and_not_us(peer: AliPay) -> None:
    body = answer(METHOD, written(success(buyer="a}b")), serial=None)

    assert isinstance(read_answer(body, method=METHOD, keys=KEYS), Answer)
    with pytest.raises(AliPayValidationError):
        peer._verify_and_return_sync_response(body.decode(), MEMBER)


def test_it_takes_the_notifications_that_we_take(peer: AliPay) -> None:
    form = dict(parse_qsl(notification().decode()))
    signature = form.pop("sign")

    assert peer.verify(dict(form), signature)
    assert not peer.verify({**form, "total_amount": "9.00"}, signature)


@pytest.mark.filterwarnings("ignore:X509:DeprecationWarning")
def test_it_counts_serials_as_we_do(tmp_path: Path) -> None:
    roots = [
        certificate(f"root {number}", issuer=issuer, serial=number)
        for number, issuer in enumerate(ISSUERS, start=1)
    ]
    bundle = b"\n".join(roots)

    for content in (golden.APP_CERTIFICATE, golden.ALIPAY_CERTIFICATE, *roots):
        ours = read_serial(Path(kept(tmp_path, "one.crt", content)))
        assert DCAliPay.get_cert_sn(content.decode()) == ours
    ours = read_root_serial(Path(kept(tmp_path, "roots.crt", bundle)))
    assert DCAliPay.get_root_cert_sn(bundle.decode()) == ours
