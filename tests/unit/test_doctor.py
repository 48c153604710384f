"""What the doctor says of a machine, its files and its settings, each fault once."""

from __future__ import annotations

import datetime as dt
import socket
from collections import namedtuple

import pytest

from kuaitui.interfaces.cli.diagnosis import installation
from kuaitui.interfaces.cli.diagnosis.finding import Verdict

OK, WARN, FAIL = Verdict.OK, Verdict.WARN, Verdict.FAIL
GIB = 2**30
Usage = namedtuple("Usage", "total used free")


def one(findings):
    (finding,) = findings
    return finding


@pytest.mark.parametrize(
    ("version", "verdict"), [((3, 10, 9), FAIL), ((3, 11, 0), OK), ((3, 13, 1), OK), ((4, 0), OK)]
)
def test_python_is_new_enough(version, verdict):
    assert installation.python(version).verdict is verdict


@pytest.mark.parametrize(("free", "verdict"), [(GIB // 8, FAIL), (GIB, WARN), (50 * GIB, OK)])
def test_a_full_disk_is_seen_before_the_database_stops(tmp_path, monkeypatch, free, verdict):
    monkeypatch.setattr(installation.shutil, "disk_usage", lambda _: Usage(0, 0, free))

    assert installation.disk(tmp_path / "not" / "made" / "yet").verdict is verdict


@pytest.mark.parametrize(
    ("mode", "verdict"), [(0o600, OK), (0o400, OK), (0o640, FAIL), (0o604, FAIL), (0o620, FAIL)]
)
def test_a_secret_that_others_can_read_is_found(tmp_path, mode, verdict):
    secret = tmp_path / "secret_key"
    secret.write_text("secret")
    secret.chmod(mode)

    finding = one(installation.files(tmp_path, [secret, tmp_path / "not-made"]))

    assert finding.verdict is verdict
    assert (str(secret) in finding.remedy) == (verdict is FAIL)


def test_debug_pages_are_a_fault():
    assert installation.debug(is_on=True).verdict is FAIL
    assert installation.debug(is_on=False).verdict is OK


@pytest.mark.parametrize(
    ("key", "verdict"), [("k3y", FAIL), ("a" * 64, FAIL), ("aB3_x" * 12, OK), ("", FAIL)]
)
def test_a_weak_secret_key_is_a_fault_and_never_shown(key, verdict):
    finding = installation.secret_key(key)

    assert finding.verdict is verdict
    assert not key or key not in finding.what + finding.remedy


@pytest.mark.parametrize(
    ("settings", "hosts", "tls"),
    [
        ((False, ["*"], True), FAIL, OK),
        ((False, ["localhost", "127.0.0.1"], True), WARN, OK),
        ((False, ["deposits.example"], True), OK, OK),
        ((False, ["deposits.example"], False), OK, WARN),
        ((True, ["localhost"], False), OK, WARN),
    ],
)
def test_how_pages_are_reached(settings, hosts, tls):
    is_plain, names, is_behind_proxy = settings

    findings = installation.address(is_plain=is_plain, hosts=names, is_behind_proxy=is_behind_proxy)

    assert [finding.verdict for finding in findings] == [hosts, tls]


@pytest.mark.parametrize(
    ("covered", "verdict"),
    [((2025,), FAIL), ((2025, 2026), WARN), ((2026, 2027), OK), ((2027,), FAIL), ((), FAIL)],
)
def test_a_calendar_that_runs_out_is_said_a_year_ahead(covered, verdict):
    assert installation.calendar(dt.date(2026, 11, 23), covered).verdict is verdict


def test_the_shipped_policy_can_be_read_and_a_broken_one_is_named(tmp_path):
    broken = tmp_path / "broken.toml"
    broken.write_text("title = 3")

    assert installation.policy("reference").verdict is OK
    assert installation.policy("no-such-pack").verdict is FAIL
    assert installation.policy(str(broken)).verdict is FAIL


def test_a_channel_is_asked_for_nothing_but_a_connection():
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        up = one(installation.channels({"simulator": {"base_url": url}}))
        server.settimeout(5)
        taken, _ = server.accept()
        with taken:
            assert taken.recv(1) == b""
    down = one(installation.channels({"simulator": {"base_url": url}}))

    assert up.verdict is OK
    assert down.verdict is FAIL
    assert "simulator" in down.check


def test_an_entry_of_a_channel_that_cannot_be_read_is_named_without_its_keys(tmp_path):
    key = tmp_path / "key"
    key.write_text("not a key: a secret")
    entry = {
        "app_id": "1",
        "seller_id": "2",
        "private_key_file": str(key),
        "alipay_public_key_files": [str(key)],
    }
    settings = {
        "simulator": {},
        "alipay": entry,
        "alipay_north": {**entry, "adapter": "alipay", "alipay_public_key_files": 3},
        "barter": {},
    }

    findings = installation.adapters(settings)

    assert [finding.check for finding in findings] == [
        "channel alipay",
        "channel alipay_north",
        "channel barter",
    ]
    assert {finding.verdict for finding in findings} == {FAIL}
    assert "a secret" not in str(findings)


def test_every_bad_finding_has_a_remedy(tmp_path):
    findings = [
        installation.python((3, 8)),
        installation.debug(is_on=True),
        installation.secret_key(""),
        installation.calendar(dt.date(1999, 1, 1)),
        installation.policy("no-such-pack"),
        *installation.address(is_plain=True, hosts=["*"], is_behind_proxy=False),
    ]

    assert all(finding.verdict is not OK and finding.remedy for finding in findings)
