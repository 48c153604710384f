from __future__ import annotations

import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kuaitui.kit.encryption import (
    Keyring,
    SealBroken,
    Sealed,
    new_keyring,
    read_keyring,
)

NUMBER = "6222020200001234567"
CONTEXT = "deposits_destination.account_number:dst_1"


@settings(max_examples=50)
@given(text=st.text(), context=st.text())
def test_what_was_sealed_opens_in_its_own_context(text, context):
    keyring = new_keyring()

    assert keyring.unseal(keyring.seal(text, context=context), context=context) == text


def test_a_value_moved_to_another_row_does_not_open():
    keyring = new_keyring()
    sealed = keyring.seal(NUMBER, context=CONTEXT)

    with pytest.raises(SealBroken):
        keyring.unseal(sealed, context=CONTEXT.replace("dst_1", "dst_2"))


@pytest.mark.parametrize("position", [0, 12, -1])
def test_a_changed_byte_does_not_open(position):
    keyring = new_keyring()
    sealed = keyring.seal(NUMBER, context=CONTEXT)
    content = bytearray(sealed.content)
    content[position] ^= 1

    with pytest.raises(SealBroken):
        keyring.unseal(Sealed(sealed.key_id, bytes(content)), context=CONTEXT)


def test_the_same_number_is_sealed_differently_each_time_but_blinds_to_the_same():
    keyring = new_keyring()

    sealed = {keyring.seal(NUMBER, context=CONTEXT).content for _ in range(10)}
    blinds = {keyring.blind(NUMBER, purpose="account") for _ in range(10)}

    assert len(sealed) == 10
    assert len(blinds) == 1
    assert keyring.blind(NUMBER, purpose="other") not in blinds


def test_sealed_bytes_do_not_contain_the_text():
    assert NUMBER.encode() not in new_keyring().seal(NUMBER, context=CONTEXT).content


def test_after_a_new_key_old_values_still_open_and_new_ones_use_it():
    old = new_keyring(key_id="k1")
    rotated = Keyring("k2", {**old.keys, **new_keyring(key_id="k2").keys}, old.index_key)
    sealed_before = old.seal(NUMBER, context=CONTEXT)

    sealed_after = rotated.seal(NUMBER, context=CONTEXT)

    assert rotated.unseal(sealed_before, context=CONTEXT) == NUMBER
    assert sealed_after.key_id == "k2"
    with pytest.raises(SealBroken, match="no key 'k2'"):
        old.unseal(sealed_after, context=CONTEXT)


def test_a_keyring_file_is_made_once_and_only_its_owner_may_read_it(tmp_path):
    path = tmp_path / "var" / "keyring.json"

    first = read_keyring(path)

    assert read_keyring(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["keyring.json"]


def test_keys_do_not_appear_when_a_keyring_is_printed():
    keyring = new_keyring()

    assert str(keyring.keys["k1"]) not in repr(keyring)
    assert str(keyring.index_key) not in repr(keyring)


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        Keyring("k1", {"k1": b"short"}, b"0" * 32)
