"""The whole journey from an order file to proven books, on an installation of its own."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import Any

from kuaitui.channels.simulator.director import Director
from kuaitui.channels.simulator.signing import shared_key
from kuaitui.demo.browser import Browser, Page
from kuaitui.demo.cast_of_journey import Cast, Part
from kuaitui.demo.journey import (
    WAIT_S,
    Log,
    Person,
    application_of,
    apply_for_all,
    decide,
    expect,
    log_in,
    wait_for,
)
from kuaitui.demo.processes import Installation
from kuaitui.deposits import queries as deposits
from kuaitui.kernel.clock import read_clock
from kuaitui.ledger import queries as ledger
from kuaitui.ledger.types import Account
from kuaitui.reconciliation.queries import compare_with_channel
from kuaitui.reconciliation.types import WithPayee
from kuaitui.refunds import queries as refunds
from kuaitui.refunds.states import State


@dataclass(frozen=True, slots=True)
class Refused:
    """What a blocked seller saw."""

    shop_id: str
    open_orders: list[str]
    page_names_the_order: bool
    nothing_moved: bool


def walk(installation: Installation, cast: Cast, log: Log) -> dict[str, Any]:
    """Two refunds to the end and one that is refused; returns what happened and the books."""
    paid = [_seven_steps(installation, cast, part, log) for part in (cast.small, cast.large)]
    refused = _be_refused(installation, cast.blocked, log)
    return {
        "paid": paid,
        "refused": asdict(refused),
        "steps": [asdict(step) for step in log.steps],
        **prove(installation),
    }


def _seven_steps(installation: Installation, cast: Cast, part: Part, log: Log) -> dict[str, Any]:
    browser = Browser(installation.web_url)
    log.begin()
    page = log_in(browser, part.owner)
    log.end(1, "登录 log in", part.shop.id[:8], page.url.removeprefix(installation.web_url))
    page = browser.open(f"/shops/{part.shop.id}/")
    expect(page.status == 200, page, "the shop opens")
    log.end(2, "我的小店 my shop", part.shop.id[:8], part.shop.id)
    figure = f"{part.held.to_decimal():,.2f}"
    expect(figure in page.text, page, f"the deposit of {figure} is shown")
    log.end(3, "查看保证金 see the deposit", part.shop.id[:8], f"{part.held.currency} {figure}")
    application_id = application_of(apply_for_all(browser, page, log, part.shop.id[:8]))
    _review(installation, cast, part, application_id, log)
    log.end(6, "审核 review ends", part.shop.id[:8], _state(part, application_id).value)
    progress = f"/shops/{part.shop.id}/refunds/{application_id}"
    wait_for(
        lambda: browser.open(progress),
        lambda page: _is_paid(page, part, application_id),
        "the money arrives",
    )
    log.end(7, "到账 the money arrives", part.shop.id[:8], f"{part.held.currency} {figure}")
    browser.close()
    return {
        "application_id": application_id,
        "shop_id": part.shop.id,
        "amount_minor": part.held.minor,
    }


def _is_paid(page: Page, part: Part, application_id: str) -> bool:
    expect(page.status == 200, page, "the progress page opens")
    return _state(part, application_id) is State.PAID and "款项已付出" in page.text


def _review(
    installation: Installation, cast: Cast, part: Part, application_id: str, log: Log
) -> None:
    """People decide until nothing is left to decide; below the limit the rule was faster."""
    for _ in range(WAIT_S * 5):
        match _state(part, application_id):
            case State.SUBMITTED | State.CHECKING:
                time.sleep(0.2)
            case State.IN_REVIEW:
                _decide(
                    installation,
                    cast.reviewer,
                    application_id,
                    "approve",
                    note="Facts and papers agree.",
                )
                log.end(6, "审核 review", "reviewer", application_id)
            case State.AWAITING_SECOND_APPROVAL:
                amount = f"{part.held.to_decimal():f}"
                _decide(
                    installation, cast.approver, application_id, "confirm", amount_retyped=amount
                )
                log.end(6, "复核 second approval", "approver", application_id)
            case _:
                return


def _decide(
    installation: Installation, person: Person, application_id: str, act: str, **values: str
) -> None:
    browser = Browser(installation.web_url, language="en")
    log_in(browser, person)
    decide(browser, application_id, act, **values)
    browser.close()


def _state(part: Part, application_id: str) -> State:
    application = refunds.application(
        application_id=application_id, shop_key=part.shop.key, now=read_clock()
    )
    return application.state


def _be_refused(installation: Installation, part: Part, log: Log) -> Refused:
    browser = Browser(installation.web_url)
    log.begin()
    before = deposits.deposit(part.account_id)
    log_in(browser, part.owner)
    page = browser.open(f"/shops/{part.shop.id}/deposits/{part.account_id}/eligibility")
    names_it = any(order in page.html for order in part.open_orders)
    expect(names_it, page, f"the page names the open order {part.open_orders[:1]}")
    forced = browser.open(f"/shops/{part.shop.id}/deposits/{part.account_id}/refund/check")
    expect("/refunds/" not in forced.url, forced, "a blocked shop cannot apply")
    after = deposits.deposit(part.account_id)
    opened = refunds.open_application(account_id=part.account_id)
    log.end(3, "暂不可退 not yet: order open", part.shop.id[:8], part.open_orders[0])
    browser.close()
    return Refused(part.shop.id, part.open_orders, names_it, before == after and opened is None)


def prove(installation: Installation) -> dict[str, Any]:
    """Ask the books, `kuaitui verify` and the channel's own book whether all is well."""
    director = Director(installation.simulator_url, shared_key(installation.simulator_key))
    theirs = {
        number: WithPayee(said["times_paid"], said["times_returned"], said["with_payee_minor"])
        for number, said in director.paid().items()
    }
    director.close()
    comparison = compare_with_channel(channel="simulator", theirs=theirs)
    verified = installation.run("verify", "--json", check=False)
    return {
        "books": [
            {
                "currency": total.currency,
                "journals": total.journals_count,
                **{account.name.lower(): total.of(account).minor for account in Account},
            }
            for total in ledger.totals()
        ],
        "channel": {
            "numbers": comparison.numbers_count,
            "ours_minor": comparison.ours_minor,
            "theirs_minor": comparison.theirs_minor,
            "breaks": [asdict(one) for one in comparison.breaks],
        },
        "verify": json.loads(verified.stdout),
        "is_proven": comparison.is_proven and verified.returncode == 0,
    }
