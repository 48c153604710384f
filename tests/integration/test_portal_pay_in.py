"""The seller's pages about paying in: what is offered, what each moment says, what is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.test import Client

from kuaitui.channels.port import FailedDefinite, PayInClosed, PayInMethod, Unknown
from kuaitui.deposits import operations, queries
from kuaitui.deposits.models import PayInOrderRow
from kuaitui.deposits.states import PayInState
from kuaitui.interfaces.portal.ways_in import ways_in
from kuaitui.kernel.money import Money
from tests.support import given, portal_given
from tests.support import pay_ins_given as pig
from tests.support.clock import standing_at
from tests.support.given import nothing_moves, yuan

pytestmark = pytest.mark.django_db
CODE = f"qr_code:{given.CHANNEL}"
LINK = f"link:{given.CHANNEL}"


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with standing_at(given.NOW):
        yield


def browser(made: pig.World) -> Client:
    return portal_given.browser(made.shop.shop_key)


def form_address(made: pig.World) -> str:
    return f"/shops/{made.shop.shop_id}/deposits/{made.shop.account_id}/pay-in"


def address(made: pig.World, act: str = "") -> str:
    return f"/shops/{made.shop.shop_id}/pay-ins/{made.order_id}{act}"


def fields(client: Client, made: pig.World, **typed: str) -> dict[str, str]:
    key = re.search(r'name="request_key" value="([^"]+)"', client.get(form_address(made)).text)
    assert key is not None
    return {"choice": "missing", "amount": "", "way": CODE, "request_key": key[1], **typed}


def send(client: Client, made: pig.World, **typed: str):
    return client.post(form_address(made), fields(client, made, **typed))


def only_order() -> PayInOrderRow:
    return PayInOrderRow.objects.get()


def test_the_card_says_what_is_missing_and_leads_to_paying_it() -> None:
    made = pig.world("¥200", required="¥500")

    page = browser(made).get(f"/shops/{made.shop.shop_id}/").text

    assert "¥300.00 to be paid in" in page
    assert f'href="{form_address(made)}"' in page


def test_a_full_deposit_asks_for_nothing() -> None:
    made = pig.world("¥500", required="¥500")

    assert "to be paid in" not in browser(made).get(f"/shops/{made.shop.shop_id}/").text


def test_every_way_the_channels_declare_is_offered() -> None:
    page = browser(made := pig.world()).get(form_address(made)).text

    assert [way.value for way in ways_in()] == [CODE, LINK]
    assert f'value="{CODE}"' in page
    assert f'value="{LINK}"' in page


def test_a_seller_asks_to_pay_and_comes_to_the_order() -> None:
    made = pig.world()

    answer = send(browser(made), made)

    row = only_order()
    assert (row.amount_minor, row.method, row.payer_ip) == (30_000, "qr_code", "127.0.0.1")
    assert row.return_url == f"http://testserver/shops/{made.shop.shop_id}/pay-ins/{row.public_id}"
    assert answer.headers["Location"] == f"/shops/{made.shop.shop_id}/pay-ins/{row.public_id}"


def test_a_double_click_is_one_order() -> None:
    made = pig.world()
    client = browser(made)
    typed = fields(client, made)

    first, second = (client.post(form_address(made), typed) for _ in range(2))

    assert first.headers["Location"] == second.headers["Location"]
    only_order()


def test_a_second_tab_is_led_to_the_order_that_waits() -> None:
    made = pig.world()
    client = browser(made)
    one, other = fields(client, made), fields(client, made, way=LINK)
    first = client.post(form_address(made), one)

    with nothing_moves(*pig.TABLES):
        second = client.post(form_address(made), other, follow=True)
        again = client.get(form_address(made))

    assert second.redirect_chain[-1][0] == first.headers["Location"]
    assert "already waiting" in second.text
    assert again.headers["Location"] == first.headers["Location"]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"choice": "other", "amount": ""}, "amount"),
        ({"choice": "other", "amount": "0"}, "amount"),
        ({"choice": "other", "amount": "-5"}, "amount"),
        ({"choice": "other", "amount": "1.234"}, "amount"),
        ({"choice": "other", "amount": "999999999"}, "amount"),
        ({"choice": "nonsense"}, "choice"),
        ({"way": ""}, "way"),
        ({"way": "cash:simulator"}, "way"),
        ({"way": "qr_code:barter"}, "way"),
    ],
)
def test_what_cannot_be_paid_is_refused_beside_its_field_and_kept(
    typed: dict[str, str], field: str
) -> None:
    made = pig.world()
    client = browser(made)
    sent = fields(client, made, **typed)

    with nothing_moves(*pig.TABLES):
        page = client.post(form_address(made), sent)

    assert page.status_code == 422
    assert f'id="id_{field}_error"' in page.text
    if typed.get("amount"):
        assert f'value="{typed["amount"]}"' in page.text


def test_an_expired_log_in_keeps_what_was_typed_for_its_owner() -> None:
    made = pig.world()
    user = portal_given.seller(made.shop.shop_key)
    user.set_password("blue-kettle-thunder-77")
    user.save()
    client = Client(headers={"accept-language": "en"})
    client.force_login(user, portal_given.BACKEND)
    mark = re.search(r'name="shown_to" value="([^"]+)"', client.get(form_address(made)).text)
    assert mark is not None
    typed = fields(client, made, choice="other", amount="77.70") | {"shown_to": mark[1]}
    client.session.flush()

    with nothing_moves(*pig.TABLES):
        assert client.post(form_address(made), typed).status_code == 401
        log_in = {"username": user.username, "password": "blue-kettle-thunder-77"}
        kept = client.post("/login", log_in, follow=True)

    assert kept.redirect_chain[-1][0] == form_address(made)
    assert 'value="77.70"' in kept.text
    assert f'value="{typed["request_key"]}"' in kept.text


def stories() -> dict[str, pig.World]:
    """One order in each moment that a seller can meet."""
    created = pig.world()
    created.start()
    unknown = pig.world()
    unknown.start()
    unknown.channel_says(Unknown("deadline"))
    failed = pig.world()
    failed.start()
    failed.channel_says(FailedDefinite("NO_RIGHT"))
    other = pig.waiting()
    other.channel_says(other.payment(yuan("¥1")))
    late = pig.expired()
    late.channel_says(late.payment())
    called_off = pig.waiting()
    operations.call_off_pay_in(
        order_id=called_off.order_id,
        shop_key=called_off.shop.shop_key,
        actor=called_off.shop.seller,
        now=called_off.now,
    )
    closed = pig.waiting()
    closed.channel_says(PayInClosed())
    return {
        "The payment is being prepared": created,
        "We are asking the channel. Please do not pay a second time.": unknown,
        "Pay now": pig.waiting(),
        "This payment is being closed": called_off,
        "Your payment has arrived": pig.paid(),
        "Another amount arrived than was asked for": other,
        "Your payment arrived when this order had ended": late,
        "This payment was called off": closed,
        "The time for this payment ran out": pig.expired(),
        "The channel did not take this payment": failed,
    }


def test_each_moment_answers_the_four_questions_in_both_languages() -> None:
    for heading, made in stories().items():
        page = browser(made).get(address(made)).text
        assert heading in page
        for question in ("Where is the money?", "Who is next?", "By when?", "What can I do?"):
            assert question in page
        chinese = portal_given.browser(made.shop.shop_key, language="zh-hans")
        assert heading not in chinese.get(address(made)).text


def test_a_code_is_shown_while_it_can_be_paid_and_never_after() -> None:
    shown = {
        heading: 'class="qr"' in browser(made).get(address(made)).text
        for heading, made in stories().items()
    }

    assert [heading for heading, is_shown in shown.items() if is_shown] == ["Pay now"]


def test_a_link_is_a_link() -> None:
    made = pig.world()
    made.start(method=PayInMethod.LINK)
    made.channel_says(made.opened())

    page = browser(made).get(address(made)).text

    assert 'href="weixin://pay/code"' in page
    assert 'class="qr"' not in page


def test_a_page_that_asks_again_gets_nothing_while_nothing_changes() -> None:
    made = pig.waiting()
    client = browser(made)
    again = re.search(r'hx-get="([^"]+)"', client.get(address(made)).text)
    assert again is not None
    htmx = {"HX-Request": "true"}

    assert client.get(again[1], headers=htmx).status_code == 204
    made.channel_says(made.payment())
    assert "Your payment has arrived" in client.get(again[1], headers=htmx).text


def test_look_again_makes_us_ask_without_any_script() -> None:
    made = pig.waiting()
    operations.look_again(
        order_id=made.order_id, shop_key=made.shop.shop_key, pace=pig.PACE, now=made.now
    )

    with standing_at(made.now + pig.PACE.look_again_after):
        page = browser(made).post(address(made, "/look"), follow=True)

    assert page.status_code == 200
    assert '<meta http-equiv="refresh"' in page.text
    assert queries.due_pay_ins(now=made.now + pig.PACE.look_again_after) == [made.order_id]


def test_an_order_is_called_off_and_a_new_one_may_follow() -> None:
    made = pig.waiting()
    client = browser(made)

    client.post(address(made, "/call-off"))
    made.channel_says(PayInClosed())

    assert made.state is PayInState.CLOSED
    assert client.get(form_address(made)).status_code == 200


def test_a_paid_order_is_not_called_off() -> None:
    made = pig.paid()
    client = browser(made)

    with nothing_moves(*pig.TABLES):
        page = client.post(address(made, "/call-off"), follow=True)

    assert "Your payment has arrived" in page.text


def test_a_receipt_proves_one_payment() -> None:
    made = pig.paid()
    lot = made.order.lot_id

    page = browser(made).get(f"/shops/{made.shop.shop_id}/receipts/{lot}").text

    for proof in ("¥300.00", "叁佰元整", made.order.channel_reference, made.order.number, lot):
        assert proof in page


def test_each_payment_of_the_statement_leads_to_its_receipt() -> None:
    made = pig.paid()

    page = browser(made).get(f"/shops/{made.shop.shop_id}/statement").text

    assert f'href="/shops/{made.shop.shop_id}/receipts/{made.order.lot_id}"' in page


@pytest.mark.parametrize("act", ["", "/look", "/call-off"])
def test_the_order_of_another_shop_looks_like_none(act: str) -> None:
    made, stranger = pig.waiting(), pig.waiting()
    mixed = address(stranger, act).replace(stranger.shop.shop_id, made.shop.shop_id)
    client = browser(made)

    with nothing_moves(*pig.TABLES):
        found = client.post(mixed) if act else client.get(mixed)

    assert found.status_code == 404


def test_the_receipt_and_the_deposit_of_another_shop_look_like_none() -> None:
    made, stranger = pig.paid(), pig.paid()
    client = browser(made)
    shop = f"/shops/{made.shop.shop_id}"

    assert client.get(f"{shop}/receipts/{stranger.order.lot_id}").status_code == 404
    form = f"{shop}/deposits/{stranger.shop.account_id}/pay-in"
    assert client.get(form).status_code == 404
    with nothing_moves(*pig.TABLES):
        sent = client.post(form, {"choice": "missing", "way": CODE, "request_key": "k" * 20})
    assert sent.status_code == 404


def test_an_amount_in_another_currency_is_not_shown_as_ours() -> None:
    made = pig.waiting()
    made.channel_says(made.payment(Money(98765, "HKD")))

    assert "987.65" not in browser(made).get(address(made)).text


def test_an_order_that_was_set_aside_shows_no_code_and_promises_no_seconds() -> None:
    made = pig.waiting()
    operations.set_pay_in_aside(order_id=made.order_id, reason="DataError", now=made.now)

    page = browser(made).get(address(made)).text

    assert "A person looks at this payment" in page
    assert "do not pay a second time" in page
    assert 'class="qr"' not in page
    assert "few seconds" not in page


def test_a_second_payment_is_told_kindly_on_the_first_page_until_it_has_its_place() -> None:
    made = pig.paid()
    made.hint()
    made.channel_says(made.payment(reference="SECOND"))

    page = browser(made).get(f"/shops/{made.shop.shop_id}/").text

    assert "¥300.00 is kept apart for you" in page
    assert "second payment of an order" in page
    stranger = pig.world()
    assert "kept apart" not in browser(stranger).get(f"/shops/{stranger.shop.shop_id}/").text
