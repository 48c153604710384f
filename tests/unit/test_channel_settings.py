"""Channels come from a file, or are the simulated one; a wrong file says what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from kuaitui.config.channels import FILE_BYTES_MAX, VARIABLE, channel_settings


def read(tmp_path: Path, content: str) -> dict:
    file = tmp_path / "channels.json"
    file.write_text(content, encoding="utf-8")
    return channel_settings({VARIABLE: str(file)}, var=tmp_path, pace="standard")


def test_without_a_file_there_is_the_simulated_channel(tmp_path: Path) -> None:
    settings = channel_settings({}, var=tmp_path, pace="brisk")

    assert list(settings) == ["simulator"]
    assert settings["simulator"]["key_file"] == tmp_path / "simulator_key"
    assert settings["simulator"]["not_found_floor_s"] == 5.0


def test_a_file_names_every_channel_there_is(tmp_path: Path) -> None:
    document = {"wechatpay-2": {"adapter": "wechatpay", "base_url": "https://example.test"}}

    assert read(tmp_path, json.dumps(document)) == document


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"wechatpay": "https://example.test"}', " " * FILE_BYTES_MAX + "{}"],
)
def test_a_wrong_file_is_refused_by_name(tmp_path: Path, content: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"channels\.json"):
        read(tmp_path, content)


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="nowhere"):
        channel_settings({VARIABLE: "/nowhere"}, var=tmp_path, pace="standard")


@pytest.mark.parametrize(
    "days",
    [1, "0-1", [], [1], [0, 1, 2], [2, 1], [-1, 1], [0, 31], [0, 1.5], ["0", "1"], [0, True]],
)
def test_days_that_nobody_could_be_promised_are_refused_with_the_name_of_the_channel(
    tmp_path: Path, days: object
) -> None:
    document = {"our-bank": {"adapter": "bank", "arrival_days": days}}

    with pytest.raises(ImproperlyConfigured, match=r"arrival_days of our-bank must be two whole"):
        read(tmp_path, json.dumps(document))


@pytest.mark.parametrize("days", [None, [0, 0], [0, 1], [1, 30]])
def test_days_in_order_or_none_are_taken_as_they_are(tmp_path: Path, days: object) -> None:
    document = {"our-bank": {"adapter": "bank", "arrival_days": days}}

    assert read(tmp_path, json.dumps(document)) == document
