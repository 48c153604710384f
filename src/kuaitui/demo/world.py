"""Plays the scenes: a marketplace of a few hundred shops, made by the operations everybody uses.

Nothing is written around the contexts, so the demo's books are as true as any. The same seed and
the same `now` make the same shops.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from kuaitui.accounts.operations import create_user, grant_shop
from kuaitui.accounts.types import Role
from kuaitui.demo.hearings import hear
from kuaitui.demo.institutions import DAYS_BEFORE, noon
from kuaitui.demo.names import BANKS, CURRENCY, card_number, number_of, person_name, shop_name, yuan
from kuaitui.demo.reports import DAY, reported
from kuaitui.demo.scenes import SCENES, Scene
from kuaitui.deposits import operations as deposits
from kuaitui.deposits.types import DeductionItem, DeductionPurpose, DepositKind
from kuaitui.facts.operations import record_reports, register_shop
from kuaitui.facts.types import ShopKind
from kuaitui.kernel.actor import Actor, ActorKind
from kuaitui.kernel.money import Money

CHANNEL = "simulator"
WECHAT = "wechatpay"
ROUTE_WINDOW = 365 * DAY
EXPIRED_DAYS = 420
ZONE = "Asia/Shanghai"
SEEDER = Actor.system("demo")
PayByWechat = Callable[[str, Money, str], str]
"""Plays a payer: number, amount and openid; returns the channel's number of the payment."""


@dataclass(frozen=True, slots=True)
class DemoShop:
    """One shop of the demo, with what later steps need."""

    scene: Scene
    shop_key: int
    shop_id: str
    name: str
    account_id: str
    owner: Actor
    owner_name: str
    destination_id: str


@dataclass(frozen=True, slots=True)
class Casting:
    """Which shop plays which scene. The number names the shop and its owner."""

    number: int
    scene: Scene
    is_first_of_scene: bool

    @property
    def shop_id(self) -> str:
        """The marketplace's id of the shop."""
        return f"ks{100000 + self.number}"

    @property
    def username(self) -> str:
        """The log-in name of the owner."""
        return f"seller{self.number}"


def cast(scenes: tuple[Scene, ...] = SCENES) -> list[Casting]:
    """All shops of the demo, scene by scene."""
    castings: list[Casting] = []
    for scene in scenes:
        castings += [
            Casting(len(castings) + 1 + index, scene, is_first_of_scene=index == 0)
            for index in range(scene.shops)
        ]
    return castings


def play_scene(casting: Casting, *, now: dt.datetime, seed: int, pay: PayByWechat) -> DemoShop:
    """Make one shop with facts, deposit and destination, but no application yet."""
    rng = Random(f"{seed}/{casting.number}")  # noqa: S311 - names and amounts of a demo
    return _play(casting, rng, now, pay)


def _play(casting: Casting, rng: Random, now: dt.datetime, pay: PayByWechat) -> DemoShop:
    scene, shop_id = casting.scene, casting.shop_id
    name, category = shop_name(rng)
    owner_name = person_name(rng)
    kind = rng.choice([ShopKind.INDIVIDUAL, ShopKind.SOLE_TRADER, ShopKind.ENTERPRISE])
    opened_at = now - rng.randint(950, 1500) * DAY
    shop = register_shop(
        shop_id=shop_id,
        name=name,
        kind=kind,
        currency=CURRENCY,
        zone=ZONE,
        opened_at=opened_at,
        now=opened_at,
    )
    reports = list(reported(scene, shop_id, name, kind, category, opened_at, rng, now))
    record_reports(reports, source="demo", now=now)
    owner_id = create_user(
        username=casting.username,
        display_name=owner_name,
        role=Role.SELLER,
        password=None,
        actor=SEEDER,
        now=now,
    )
    grant_shop(user_id=owner_id, shop_key=shop.key, actor=SEEDER, now=now)
    owner = Actor(ActorKind.SELLER, owner_id)
    if scene.payer_tail:
        account_id = _fund_by_wechat(scene, shop.key, shop_id, rng, now, pay)
    else:
        account_id = _fund(scene, shop.key, shop_id, rng, now)
    if scene.deducted_yuan:
        _deduct(scene, account_id, shop_id, now)
    hear(
        scene.hearing,
        account_id=account_id,
        shop_key=shop.key,
        shop_id=shop_id,
        owner=owner,
        now=now,
    )
    destination_id = _destination(scene, shop.key, owner, owner_name, rng, now)
    return DemoShop(scene, shop.key, shop_id, name, account_id, owner, owner_name, destination_id)


def _open(scene: Scene, shop_key: int, first_paid_at: dt.datetime) -> str:
    return deposits.open_deposit_account(
        shop_key=shop_key,
        kind=DepositKind.SHOP,
        required=yuan(scene.required_yuan),
        actor=SEEDER,
        now=first_paid_at - DAY,
    )


def _fund(scene: Scene, shop_key: int, shop_id: str, rng: Random, now: dt.datetime) -> str:
    first_paid_at = now - rng.randint(*scene.paid_in_days) * DAY
    account_id = _open(scene, shop_key, first_paid_at)
    held = rng.randint(*scene.held_yuan) // 100 * 100
    for index, part in enumerate(_parts(held, rng)):
        paid_at = first_paid_at + index * 15 * DAY
        window = ROUTE_WINDOW if scene.route_open else 30 * DAY
        _enter(account_id, yuan(part), CHANNEL, f"demo-{shop_id}-{index}", paid_at, window)
    return account_id


def _fund_by_wechat(
    scene: Scene, shop_key: int, shop_id: str, rng: Random, now: dt.datetime, pay: PayByWechat
) -> str:
    """One payment that WeChat Pay knows, and one of long ago that has no way back."""
    long_ago, lately = now - EXPIRED_DAYS * DAY, noon(now, DAYS_BEFORE)
    account_id = _open(scene, shop_key, long_ago if scene.expired_yuan else lately)
    if scene.expired_yuan:
        old = f"demo-{shop_id}-0"
        _enter(account_id, yuan(scene.expired_yuan), WECHAT, old, long_ago, ROUTE_WINDOW)
    held = yuan(rng.randint(*scene.held_yuan) // 100 * 100)
    reference = pay(f"demo{shop_id}in", held, f"oDemo{shop_id}{scene.payer_tail}")
    _enter(account_id, held, WECHAT, reference, lately, ROUTE_WINDOW)
    return account_id


def _enter(
    account_id: str,
    amount: Money,
    channel: str,
    reference: str,
    paid_at: dt.datetime,
    window: dt.timedelta,
) -> None:
    deposits.record_pay_in(
        account_id=account_id,
        amount=amount,
        channel=channel,
        channel_reference=reference,
        paid_at=paid_at,
        refundable_until=paid_at + window,
        actor=SEEDER,
        now=paid_at,
    )


def _deduct(scene: Scene, account_id: str, shop_id: str, now: dt.datetime) -> None:
    buyers = (
        DeductionItem(
            description="商品与描述不符，赔付买家",
            quantity=1,
            unit_amount=yuan(scene.deducted_yuan - 40),
            evidence=(number_of("2026", shop_id, 0), number_of("DP", shop_id, 7)),
        ),
        DeductionItem(
            description="退货运费",
            quantity=2,
            unit_amount=yuan(20),
            evidence=(number_of("2026", shop_id, 0), number_of("AS", shop_id, 7)),
        ),
    )
    deposits.decide_deduction(
        account_id=account_id,
        items=buyers,
        purpose=DeductionPurpose.PENALTY if scene.penalty else DeductionPurpose.COMPENSATION,
        reason="买家纠纷判定由卖家承担",
        clause="示例规则 5.2",
        reference=f"demo-deduction-{shop_id}",
        actor=SEEDER,
        now=now - 20 * DAY,
    )


def _destination(
    scene: Scene, shop_key: int, owner: Actor, owner_name: str, rng: Random, now: dt.datetime
) -> str:
    if not scene.destination_tail:
        return ""
    added_at = now - 30 * DAY
    destination = deposits.add_destination(
        shop_key=shop_key,
        holder_name=owner_name,
        bank_name=rng.choice(BANKS),
        account_number=card_number(rng, scene.destination_tail),
        actor=owner,
        now=added_at,
    )
    deposits.verify_destination(
        destination_id=destination.destination_id, actor=SEEDER, now=added_at + DAY
    )
    return destination.destination_id


def _parts(held: int, rng: Random) -> list[int]:
    """One payment or two that make up what is held."""
    if held < 1000 or rng.random() < 0.6:
        return [held] if held else []
    first = held // 200 * 100
    return [first, held - first]
