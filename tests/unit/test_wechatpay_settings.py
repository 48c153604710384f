"""One merchant's entry of the channel settings, and the files that it names."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from kuaitui.channels.registry import build_channels
from kuaitui.channels.wechatpay import KeyMode, TransferScene, WeChatPayChannel, WeChatPaySettings
from kuaitui.channels.wechatpay.settings import APIV3_KEY_VARIABLE
from kuaitui.kernel.money import Money
from tests.support.fake_wechatpay import (
    APIV3_KEY,
    APPID,
    HOST,
    KEY_ID,
    MCHID,
    NOTIFY_URL,
    NOW,
    certificate,
    private_key,
    public_pem,
)

APP_SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def document(tmp_path: Path) -> dict[str, Any]:
    pkcs8 = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files = {
        "merchant": private_key("merchant").private_bytes(*pkcs8),
        "wechat": public_pem("wechat"),
        "wechat2": public_pem("wechat2"),
        "certificate": certificate("wechat", serial=0x1A2B),
        "api": APIV3_KEY + b"\n",
        "curve": ec.generate_private_key(ec.SECP256R1()).private_bytes(*pkcs8),
        "curve_public": ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "text": b"no key at all",
        "app_secret": APP_SECRET.encode() + b"\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    return {
        "base_url": HOST,
        "mchid": MCHID,
        "appid": APPID,
        "merchant_serial": "5157F09EFDC096DE15EBE81A47057A7232F1B8E1",
        "merchant_key_file": tmp_path / "merchant",
        "apiv3_key_file": tmp_path / "api",
        "wechatpay_keys": {KEY_ID: tmp_path / "wechat"},
        "notify_url": NOTIFY_URL,
    }


def test_an_entry_makes_a_channel_under_its_own_name(document: dict[str, Any]) -> None:
    entries = {"wechatpay": document, "second_merchant": {"adapter": "wechatpay", **document}}

    channels = build_channels(entries, clock=lambda: NOW)

    assert channels.names == ("wechatpay", "second_merchant")
    assert isinstance(channels.get("second_merchant"), WeChatPayChannel)
    assert channels.get("second_merchant").name == "second_merchant"
    assert channels.collecting("wechatpay") is channels.get("wechatpay")
    assert channels.stating("wechatpay") is channels.get("wechatpay")


def test_what_may_be_left_out_has_its_usual_value(document: dict[str, Any]) -> None:
    settings = WeChatPaySettings.parse(document)

    assert settings.key_mode is KeyMode.PUBLIC_KEY
    assert settings.transfer_scene is None
    assert settings.transfer_max is None
    assert settings.user_identification is None
    assert settings.not_found_floor == dt.timedelta(minutes=10)
    assert settings.fund_account == "BASIC"


def test_all_that_can_be_said_is_read(document: dict[str, Any], tmp_path: Path) -> None:
    settings = WeChatPaySettings.parse(
        document
        | {
            "key_mode": "public_key",
            "wechatpay_keys": {KEY_ID: tmp_path / "wechat", "PUB_KEY_ID_2": tmp_path / "wechat2"},
            "transfer_scene": {
                "scene_id": 1011,
                "reports": [{"info_type": "赔付原因", "info_content": "店铺保证金退还"}],
                "remark": "保证金退款",
                "perception": "退款",
            },
            "transfer_max_minor": 200_000,
            "user_identification": {"app_secret_file": tmp_path / "app_secret"},
            "refund_reason": "店铺保证金退还",
            "fund_account": "OPERATION",
            "not_found_floor_s": 5,
        }
    )

    assert set(settings.wechatpay_keys) == {KEY_ID, "PUB_KEY_ID_2"}
    assert settings.transfer_scene == TransferScene(
        "1011", (("赔付原因", "店铺保证金退还"),), "保证金退款", "退款"
    )
    assert settings.transfer_max == Money(200_000, "CNY")
    assert settings.not_found_floor == dt.timedelta(seconds=5)
    identification = settings.user_identification
    assert identification is not None
    assert identification.app_secret == APP_SECRET
    assert identification.page.startswith("https://open.weixin.qq.com/")
    assert APP_SECRET not in repr(settings)


def test_certificates_are_read_alone_and_beside_public_keys(
    document: dict[str, Any], tmp_path: Path
) -> None:
    entry = document | {"key_mode": "certificate"}

    settings = WeChatPaySettings.parse(
        entry | {"wechatpay_keys": {"1A2B": tmp_path / "certificate"}}
    )
    without = WeChatPaySettings.parse({**entry, "wechatpay_keys": {}})
    both = {KEY_ID: tmp_path / "wechat", "1A2B": tmp_path / "certificate"}
    moving = WeChatPaySettings.parse(document | {"wechatpay_keys": both})

    assert settings.wechatpay_keys["1A2B"].valid_until == NOW + dt.timedelta(days=29)
    assert without.wechatpay_keys == {}
    assert [key.is_certificate for key in moving.wechatpay_keys.values()] == [False, True]


def test_the_secret_key_may_come_from_the_environment(
    document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(APIV3_KEY_VARIABLE, APIV3_KEY.decode())
    del document["apiv3_key_file"]

    assert WeChatPaySettings.parse(document).apiv3_key == APIV3_KEY


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mchid": None}, "mchid: missing"),
        ({"mchid": "19000001o9"}, "mchid: not a number"),
        ({"base_url": "api.mch.weixin.qq.com"}, "base_url: not a host's address"),
        ({"base_url": HOST + "/v3"}, "base_url: not a host's address"),
        ({"notify_url": NOTIFY_URL + "?a=1"}, "notify_url: not an address without a query"),
        ({"appid": 'wx"'}, "appid: not a word"),
        ({"merchant_serial": ""}, "merchant_serial: not a word"),
        ({"merchant_key_file": "text"}, "merchant_key_file: "),
        ({"merchant_key_file": "curve"}, "merchant_key_file: not an RSA key"),
        ({"merchant_key_file": "nowhere"}, "merchant_key_file: .*No such file"),
        ({"apiv3_key_file": "text"}, "apiv3_key_file or KUAITUI_WECHATPAY_APIV3_KEY: not a key"),
        ({"wechatpay_keys": {}}, "wechatpay_keys: name at least one"),
        ({"wechatpay_keys": {KEY_ID: "text"}}, "wechatpay_keys: not a PEM"),
        ({"wechatpay_keys": {KEY_ID: "curve_public"}}, "wechatpay_keys: not an RSA key"),
        ({"key_mode": "certificate", "wechatpay_keys": {"9F": "certificate"}}, "of another serial"),
        ({"wechatpay_keys": {"1A2B": "certificate"}}, "wechatpay_keys: name at least one public"),
        ({"key_mode": "both"}, "key_mode: "),
        ({"transfer_scene": {"scene_id": "x", "reports": [], "remark": "r"}}, "transfer_scene: "),
        ({"transfer_scene": {"scene_id": "1011", "reports": [], "remark": ""}}, "transfer_scene: "),
        ({"transfer_scene": {"scene_id": "1011", "remark": "r"}}, "transfer_scene: 'reports'"),
        ({"transfer_max_minor": 9}, "transfer_max_minor: less than the smallest transfer"),
        ({"transfer_max_minor": "2000.00"}, "transfer_max_minor: not a whole number of fen"),
        ({"transfer_max_minor": 2000.5}, "transfer_max_minor: not a whole number of fen"),
        ({"user_identification": {}}, "user_identification: app_secret_file: missing"),
        ({"user_identification": {"app_secret_file": "/dev/null"}}, "not an AppSecret"),
        ({"user_identification": {"secret": "x"}}, "user_identification: app_secret_file: missing"),
        ({"refund_reason": "退" * 27}, "refund_reason: longer"),
        ({"fund_account": "SAVINGS"}, "fund_account: not one of"),
        ({"not_found_floor_s": -1}, "not_found_floor_s: less"),
        ({"merchant_key": "secret"}, "merchant_key: no such setting"),
    ],
)
def test_a_mistake_in_the_settings_is_named(
    document: dict[str, Any], tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    entry = {name: value for name, value in (document | change).items() if value is not None}
    for name in ("merchant_key_file", "apiv3_key_file"):
        entry[name] = tmp_path / entry[name]
    entry["wechatpay_keys"] = {
        serial: tmp_path / file for serial, file in entry["wechatpay_keys"].items()
    }

    with pytest.raises(ValueError, match=message):
        WeChatPaySettings.parse(entry)


def test_no_key_is_shown(document: dict[str, Any]) -> None:
    shown = repr(WeChatPaySettings.parse(document))

    assert APIV3_KEY.decode() not in shown
    assert "key_file" not in shown
