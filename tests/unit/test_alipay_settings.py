"""What the settings of an Alipay channel allow, and what it declares by them."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest

from kuaitui.channels.alipay import AlipaySettings
from kuaitui.channels.alipay.channel import capabilities_of
from kuaitui.channels.alipay.settings import AlipaySettingsWrong
from kuaitui.channels.port import PayeeKind, Route
from kuaitui.channels.registry import build_channels
from tests.support import alipay_golden as golden
from tests.support.alipay import (
    APP_ID,
    NOW,
    SELLER_ID,
    certificate,
    kept,
    pem,
    public_pem,
    settings,
)

ROOT = {"C": "CN", "CN": "Root R1"}


@pytest.fixture
def key_mode(tmp_path: Path) -> dict[str, object]:
    return {
        "app_id": APP_ID,
        "seller_id": SELLER_ID,
        "private_key_file": kept(tmp_path, "app", pem("app")),
        "alipay_public_key_files": [kept(tmp_path, "alipay", public_pem("alipay"))],
    }


@pytest.fixture
def certificate_mode(tmp_path: Path, key_mode: dict[str, object]) -> dict[str, object]:
    files = {
        "app_certificate_file": kept(tmp_path, "app.crt", golden.APP_CERTIFICATE),
        "alipay_root_certificate_file": kept(
            tmp_path, "root.crt", certificate("root 1", issuer=ROOT, serial=7)
        ),
        "alipay_certificate_files": [kept(tmp_path, "alipay.crt", golden.ALIPAY_CERTIFICATE)],
    }
    plain = {name: told for name, told in key_mode.items() if name != "alipay_public_key_files"}
    return {**plain, **files}


def test_key_mode_pays_back_along_payments_only(key_mode: dict[str, object]) -> None:
    capabilities = capabilities_of(AlipaySettings.parse(key_mode))

    assert capabilities.routes == {Route.ORIGINAL}
    assert capabilities.payee_kinds == set()


def test_certificate_mode_also_pays_to_accounts(certificate_mode: dict[str, object]) -> None:
    parsed = AlipaySettings.parse(certificate_mode)
    capabilities = capabilities_of(parsed)

    assert parsed.certificates is not None
    assert parsed.certificates.app_serial == golden.APP_SERIAL
    assert [key.serial for key in parsed.alipay_keys] == [golden.ALIPAY_SERIAL]
    assert capabilities.routes == set(Route)
    assert capabilities.payee_kinds == {PayeeKind.ALIPAY_ACCOUNT, PayeeKind.BANK_ACCOUNT}


def test_the_refund_window_is_the_contracts_and_not_invented(key_mode: dict[str, object]) -> None:
    unset = capabilities_of(AlipaySettings.parse(key_mode))
    year = capabilities_of(AlipaySettings.parse({**key_mode, "refund_window_days": 365}))

    assert unset.original_window is None
    assert year.original_window == dt.timedelta(days=365)
    assert unset.refund_interval == dt.timedelta(seconds=3)


def test_several_keys_of_alipay_hold_at_once(tmp_path: Path, key_mode: dict[str, object]) -> None:
    files = [
        kept(tmp_path, "old", public_pem("old1")),
        kept(tmp_path, "new", public_pem("new1")),
    ]

    parsed = AlipaySettings.parse({**key_mode, "alipay_public_key_files": files})

    assert len(parsed.alipay_keys) == 2


@pytest.mark.parametrize(
    ("change", "setting"),
    [
        ({"app_id": None}, "app_id"),
        ({"seller_id": None}, "seller_id"),
        ({"private_key_file": None}, "private_key_file"),
        ({"alipay_public_key_files": None}, "app_certificate_file"),
        ({"app_certificate_file": "both"}, "app_certificate_file"),
        ({"alipay_public_key_files": "one.txt"}, "alipay_public_key_files"),
        ({"not_found_floor_s": 9}, "not_found_floor_s"),
        ({"pasword": "x"}, "pasword"),
    ],
)
def test_settings_that_contradict_themselves_are_refused_by_name(
    key_mode: dict[str, object], change: dict[str, object], setting: str
) -> None:
    document = {name: told for name, told in {**key_mode, **change}.items() if told is not None}

    with pytest.raises(AlipaySettingsWrong, match=f"setting={setting}"):
        AlipaySettings.parse(document)


def test_nothing_without_a_key_of_alipay() -> None:
    with pytest.raises(AlipaySettingsWrong):
        settings(alipay_keys=())


def test_no_key_is_shown_when_settings_are() -> None:
    shown = repr(settings())

    assert "RSA" not in shown
    assert "private" not in shown


def test_the_registry_makes_two_merchants_two_channels(key_mode: dict[str, object]) -> None:
    entries = {"alipay": key_mode, "alipay_north": {**key_mode, "adapter": "alipay"}}

    channels = build_channels(entries, clock=lambda: NOW)

    assert channels.names == ("alipay", "alipay_north")
    assert channels.get("alipay_north").name == "alipay_north"


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings().app_id = "another"  # type: ignore[misc]
