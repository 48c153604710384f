"""The pages of batches and banks' messages: what they show, to whom, and what they let happen."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

import kuaitui.channels.bank
from kuaitui.accounts.types import Role
from kuaitui.interfaces.console import bank_words
from kuaitui.payouts import operations, queries
from kuaitui.payouts.states import BatchState, LegState
from tests.support import batches_given as bg
from tests.support import given
from tests.support.clock import standing_at
from tests.support.console_given import actor, desk, staff
from tests.support.given import NOW

pytestmark = pytest.mark.django_db
TABLES = (
    "payouts_leg", "payouts_attempt", "payouts_batch", "payouts_batch_leg", "payouts_bank_message",
    "payouts_bank_word",
)  # fmt: skip


@pytest.fixture(autouse=True)
def now():
    with standing_at(NOW):
        yield


@pytest.fixture(autouse=True)
def bank(settings):
    bg.bank_in_settings(settings)
    return bg.bank(settings)


def only_batch():
    return queries.batches()[0]


def build(client, *worlds):
    ticked = [world.leg_id for world in worlds]
    return client.post("/console/batches/build/bank", {"legs": ticked})


def release(client, found, **changes):
    fields = {"content_hash": found.content_hash, "has_compared": "on", **changes}
    return client.post(f"/console/batches/{found.batch_id}/release", fields)


def brought(client, content, name="results.csv"):
    file = SimpleUploadedFile(name, content)
    return client.post("/console/bank-messages/bring", {"channel": "bank", "file": file})


def table(*rows):
    return "\r\n".join([bg.HEAD, *rows]).encode("utf-8-sig")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("role", [Role.REVIEWER, Role.APPROVER, Role.AUDITOR])
def test_every_page_is_drawn(bank, settings, role, language):
    world = bg.waiting()
    client = desk(role, language=language)
    drawn = ["/console/batches", "/console/bank-messages"]
    if role is Role.REVIEWER:
        drawn += ["/console/batches/build/bank", "/console/bank-messages/bring"]
    batch_id = operations.build_batch(channel=bank, actor=given.reviewer(), now=NOW)
    drawn += [f"/console/batches/{batch_id}"]
    refused = operations.bring_message(channel=bank, content=b"x", actor=given.reviewer(), now=NOW)
    waiting = bg.bring(settings, bg.result(world, "REJECTED", reason="AC04"), confirm=False)
    drawn += [f"/console/bank-messages/{taken.message_no}" for taken in (refused, waiting)]

    for address in drawn:
        page = client.get(address)
        assert page.status_code == 200, address
        assert "<c-" not in page.text
        assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", page.text)


def test_an_installation_without_a_bank_shows_no_batches(settings):
    settings.KUAITUI_CHANNELS = {
        name: entry for name, entry in settings.KUAITUI_CHANNELS.items() if name != "bank"
    }
    settings.KUAITUI_PAYERS = {}

    assert "/console/batches" not in desk(Role.REVIEWER).get("/console/payouts").text


def test_one_builds_another_releases_and_the_file_is_taken(bank, settings):
    first, second = bg.waiting(), bg.waiting("¥5,000")
    reviewer, approver = desk(Role.REVIEWER), desk(Role.APPROVER)
    look = reviewer.get("/console/batches/build/bank").text
    assert "¥15,000.00" in look
    assert "2026" in look

    build(reviewer, first, second)
    found = only_batch()
    page = approver.get(f"/console/batches/{found.batch_id}").text
    assert found.content_hash in page
    assert release(approver, found).status_code == 302

    for world in (first, second):
        bg.carry_out(settings, world)
    file = reviewer.post(f"/console/batches/{found.batch_id}/file", {"form": "csv"})
    assert file["Content-Disposition"].endswith('-2026-11-23.csv"')
    assert queries.leg(first.leg_id).channel_number in file.content.decode("utf-8-sig")
    again = approver.post(f"/console/batches/{found.batch_id}/file", {"form": "csv"})
    assert again.content == file.content


def test_what_is_not_ticked_waits(bank):
    first, second = bg.waiting(), bg.waiting("¥5,000")

    build(desk(Role.REVIEWER), second)

    assert only_batch().legs_count == 1
    waiting = queries.waiting_legs(channel="bank", currency="CNY")
    assert [leg.leg_id for leg in waiting] == [first.leg_id]


def test_a_batch_of_nothing_is_not_built(bank):
    bg.waiting()
    client = desk(Role.REVIEWER)
    with given.nothing_moves(*TABLES):
        nothing = build(client)
        foreign = client.post("/console/batches/build/bank", {"legs": ["leg_x"]})

    assert (nothing.status_code, foreign.status_code) == (422, 422)
    assert "Choose at least one payout." in nothing.text


@pytest.mark.parametrize("channel", ["simulator", "nobody", "x" * 300, "%00"])
def test_only_banks_gather(channel):
    assert desk(Role.REVIEWER).get(f"/console/batches/build/{channel}").status_code == 404


def test_a_release_needs_a_look_another_person_and_the_same_batch(bank):
    approver, another = staff(Role.APPROVER), desk(Role.APPROVER)
    bg.waiting(approved_by=(actor(approver).id,))
    batch_id = operations.build_batch(channel=bank, actor=given.reviewer(), now=NOW)
    found = queries.batch(batch_id)
    own = desk(approver)

    with given.nothing_moves(*TABLES):
        assert "You approved a payout" in own.get(f"/console/batches/{batch_id}").text
        assert release(own, found).status_code == 403
        assert release(another, found, has_compared="").status_code == 422
        assert release(another, found, content_hash="another").status_code == 409

    assert release(another, found).status_code == 302
    third = desk(Role.APPROVER)
    with given.nothing_moves(*TABLES):
        assert release(third, found).status_code == 409


def test_a_batch_is_called_off_before_its_release(bank):
    world = bg.waiting()
    client = desk(Role.REVIEWER)
    build(client, world)

    client.post(f"/console/batches/{only_batch().batch_id}/call-off")

    assert only_batch().state is BatchState.CANCELLED
    assert len(queries.waiting_legs(channel="bank", currency="CNY")) == 1


def test_the_file_is_not_given_before_everything_is_booked_as_sent(bank):
    bg.waiting()
    batch_id = bg.released(bank)
    client = desk(Role.REVIEWER)
    with given.nothing_moves(*TABLES):
        early = client.post(f"/console/batches/{batch_id}/file", {"form": "csv"})
        odd = client.post(f"/console/batches/{batch_id}/file", {"form": "exe"})

    assert (early.status_code, odd.status_code) == (409, 422)


def test_after_a_restore_the_page_asks_what_the_bank_has_before_it_gives_the_file(bank, settings):
    world = bg.waiting()
    batch_id = bg.released(bank)
    bg.carry_out(settings, world)
    client, address = desk(Role.REVIEWER), f"/console/batches/{batch_id}"
    held_at = NOW + dt.timedelta(seconds=1)
    operations.hold_sending(reason="Restored.", actor=given.reviewer(), now=held_at)
    bg.carry_out(settings, world, now=held_at)
    assert "No file while sending is on hold" in client.get(address).text
    operations.propose_release(finding="All answered.", actor=given.reviewer(), now=held_at)
    operations.confirm_release(actor=given.approver(), now=held_at)

    page = client.get(address).text
    with given.nothing_moves(*TABLES):
        blind = client.post(f"{address}/file", {"form": "csv"})
        long = client.post(f"{address}/file", {"form": "csv", "finding": "x" * 501})
    seen = client.post(f"{address}/file", {"form": "csv", "finding": "Not there."})

    assert "The bank may have this file already" in page
    assert queries.batch(batch_id).file_id in page
    assert (blind.status_code, long.status_code, seen.status_code) == (409, 422, 200)
    assert "x" * 501 in long.text, "what was typed is kept"


def test_one_brings_the_banks_answer_and_another_confirms_it(bank, settings):
    world = bg.waiting()
    bg.released(bank)
    bg.carry_out(settings, world)
    reviewer, approver = desk(Role.REVIEWER), desk(Role.APPROVER)

    answer = brought(reviewer, table(bg.result(world, "BOOKED")))
    address = answer["Location"]
    assert "Awaits confirmation" in approver.get(address).text
    approver.post(f"{address}/confirm")

    assert "Counts" in approver.get(address).text
    assert bg.carry_out(settings, world) is LegState.PAID
    again = brought(reviewer, table(bg.result(world, "BOOKED")))
    assert again["Location"] == address
    assert "taken in before" in reviewer.get(address).text


def test_a_refused_file_says_line_and_reason(bank, settings):
    world = bg.waiting()
    bg.released(bank)
    bg.carry_out(settings, world)
    client = desk(Role.REVIEWER)

    answer = brought(client, table(bg.result(world, "BOOKED").replace("10000.00", "10000.001")))

    page = client.get(answer["Location"]).text
    assert "too many decimals" in page
    assert "line 2 金额" in page
    confirmed = desk(Role.APPROVER).post(f"{answer['Location']}/confirm")
    assert confirmed.status_code == 409
    assert bg.carry_out(settings, world) is None


@pytest.mark.parametrize(("content", "status"), [(b"", 422), (b"x" * (8 * 1024 * 1024 + 1), 422)])
def test_an_empty_or_huge_file_is_not_taken(content, status):
    client = desk(Role.REVIEWER)
    with given.nothing_moves(*TABLES):
        assert brought(client, content).status_code == status
        assert client.post("/console/bank-messages/bring", {"channel": "bank"}).status_code == 422


@pytest.mark.parametrize(
    "address", ["/console/batches/bat_x", "/console/bank-messages/0", "/console/batches/%00"]
)
def test_what_there_is_not_is_not_found(address):
    assert desk(Role.APPROVER).get(address).status_code == 404


def test_every_reason_for_a_refusal_has_words():
    sources = Path(kuaitui.channels.bank.__file__).parent, Path(operations.__file__).parent
    text = "\n".join(path.read_text() for source in sources for path in source.glob("*.py"))

    assert set(re.findall(r'MessageRefused\(\s*"(\w+)"', text)) == set(bank_words.REFUSED)
