"""Facts documents and packs for tests of policy: valid ones by construction, small and large."""

from __future__ import annotations

import copy
import datetime as dt
import tomllib
from importlib import resources
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from kuaitui.policy.packs import parse_pack
from kuaitui.policy.terms import Terms

SHANGHAI = ZoneInfo("Asia/Shanghai")
AS_OF = dt.datetime(2026, 11, 23, 10, 0, tzinfo=SHANGHAI)

Document = dict[str, object]


def written(moment: dt.datetime) -> str:
    return moment.isoformat()


def ago(days: float) -> str:
    return written(AS_OF - dt.timedelta(days=days))


def ahead(days: float) -> str:
    return ago(-days)


def clean_document(**changes: object) -> Document:
    """A shop that left long ago and owes nothing: eligible under every shipped pack."""
    document: Document = {
        "as_of": written(AS_OF),
        "shop": {
            "id": "S1",
            "kind": "sole_trader",
            "categories": ["food"],
            "standing": "closed",
            "opened_at": ago(900),
            "closing_notice_at": ago(200),
            "closed_at": ago(160),
            "expelled_at": None,
        },
        "deposit": {
            "kind": "shop",
            "currency": "CNY",
            "required_minor": 50_000,
            "frozen_minor": 0,
            "lots": [
                {
                    "id": "L1",
                    "amount_minor": 300_000,
                    "paid_at": ago(800),
                    "channel": "wechatpay",
                    "refundable_until": ago(435),
                }
            ],
        },
        "orders": [order("O0", "completed", ago(170))],
        "listings_on_sale": 0,
        "withdrawable_balance_minor": 0,
    }
    return copy.deepcopy({**document, **changes})


def order(name: str, status: str, status_at: str) -> Document:
    return {"id": name, "status": status, "status_at": status_at, "amount_minor": 9900}


def after_sale(name: str, opened_at: str, closed_at: str | None = None) -> Document:
    return {**dispute(name, opened_at, closed_at), "order_id": "O0"}


def dispute(name: str, opened_at: str, closed_at: str | None = None) -> Document:
    status = "closed" if closed_at else "open"
    return {"id": name, "status": status, "opened_at": opened_at, "closed_at": closed_at}


def violation(name: str, occurred_at: str, settled_at: str | None = None) -> Document:
    status = "settled" if settled_at else "open"
    return {"id": name, "status": status, "occurred_at": occurred_at, "settled_at": settled_at}


def restriction(name: str, kind: str, from_: str, to: str | None = None) -> Document:
    return {"id": name, "kind": kind, "from": from_, "to": to}


def debt(name: str, amount_minor: int, status: str = "open") -> Document:
    return {"id": name, "kind": "penalty", "amount_minor": amount_minor, "status": status}


def pack_text(name: str = "reference") -> str:
    folder = resources.files("kuaitui.policy").joinpath("data", "packs", name)
    return max(folder.iterdir(), key=lambda file: file.name).read_text("utf-8")


def pack_document(name: str = "reference") -> dict:
    return tomllib.loads(pack_text(name))


def pack_with(
    *,
    holds: list[tuple[str, int, str]] | None = None,
    notice_required: bool = False,
    own: str = "",
    currency: str = "CNY",
) -> Terms:
    """The reference pack with other holds (anchor, days, unit) or a condition of its own."""
    text = pack_text().replace('currency = "CNY"', f'currency = "{currency}"')
    if notice_required:
        text = text.replace("notice_required = false", "notice_required = true")
    if holds is not None:
        before, _, rest = text.partition("[[holds]]")
        review = rest[rest.index("[review]") :]
        text = before + "".join(_hold(*hold) for hold in holds) + review
    return parse_pack((text + own).encode())


def _hold(anchor: str, days: int, unit: str) -> str:
    return f"""
[[holds]]
anchor = "{anchor}"
clause = {{ reference = "test", zh = "测试", en = "test" }}

[holds.days]
value = {days}
unit = "{unit}"
confidence = "B"
verified = false
source = "test"
seen_on = 2026-11-23

"""


# -- random documents ------------------------------------------------------------------------------

_minutes = st.integers(-300 * 24 * 60, 120 * 24 * 60)
_past_minutes = st.integers(-300 * 24 * 60, 0)


def _at(minutes: int) -> str:
    # Sometimes exactly midnight in the marketplace's zone, where dates begin.
    moment = AS_OF + dt.timedelta(minutes=minutes)
    return written(moment.replace(hour=0, minute=0) if minutes % 3 == 0 else moment)


@st.composite
def _cases(draw: st.DrawFn, begin: str, end: str, words: tuple[str, ...], past: bool) -> Document:
    begun = draw(_past_minutes if past else _minutes)
    lasts = draw(st.one_of(st.none(), st.integers(1, 250 * 24 * 60)))
    begun_at = _at(begun)
    ended_at = None if lasts is None else _at(begun + lasts)
    if ended_at is not None and dt.datetime.fromisoformat(ended_at) < dt.datetime.fromisoformat(
        begun_at
    ):
        ended_at = begun_at
    is_over = ended_at is not None and dt.datetime.fromisoformat(ended_at) <= AS_OF
    if ended_at is None or (not is_over and draw(st.booleans())):
        status = draw(st.sampled_from(words[:-1]))
    else:
        status = words[-1]
    return {"status": status, begin: begun_at, end: ended_at}


def _named(prefix: str, items: list[Document]) -> list[Document]:
    return [{"id": f"{prefix}{index}", **item} for index, item in enumerate(items)]


@st.composite
def documents(draw: st.DrawFn, *, nothing_new: bool = False) -> Document:
    """Any valid facts; with `nothing_new` none of them begins after `as_of`."""

    def few(item: st.SearchStrategy[Document]) -> list[Document]:
        return draw(st.lists(item, max_size=draw(st.sampled_from([0, 0, 1, 3]))))

    def maybe() -> str | None:
        return draw(st.one_of(st.none(), (_past_minutes if nothing_new else _minutes).map(_at)))

    statuses = st.sampled_from(["placed", "paid", "shipped", "received", "completed", "closed"])
    orders = []
    for status in draw(st.lists(statuses, max_size=4)):
        is_new = status == "placed" and nothing_new
        orders.append(order("", status, _at(draw(_past_minutes if is_new else _minutes))))
    minor = st.sampled_from([0, 0, 1, 1200, 40_000, 50_000, 400_000])
    shop = {
        "id": "S1",
        "kind": draw(st.sampled_from(["individual", "enterprise", "cross_border"])),
        "categories": draw(st.lists(st.sampled_from(["food", "酒类"]), unique=True)),
        "standing": draw(
            st.sampled_from(["normal", "normal", "closed", "restricted", "banned", "expelled"])
        ),
        "opened_at": ago(900),
        "closing_notice_at": maybe(),
        "closed_at": draw(st.one_of(st.none(), _minutes.map(_at))),
        "expelled_at": maybe(),
    }
    lots = [
        {
            "id": f"L{index}",
            "amount_minor": amount,
            "paid_at": _at(draw(_past_minutes if nothing_new else _minutes)),
            "channel": "wechatpay",
            "refundable_until": None,
        }
        for index, amount in enumerate(draw(st.lists(st.integers(0, 300_000), max_size=3)))
    ]
    case = ("opened_at", "closed_at", ("open", "closed"), nothing_new)
    restrictions = [
        restriction("", draw(st.sampled_from(["listing", "sales", "withdrawal", "live"])),
                    item["from"], item["to"])
        for item in few(_cases("from", "to", ("open", "closed"), nothing_new))
    ]  # fmt: skip
    violations = _cases("occurred_at", "settled_at", ("open", "appealing", "settled"), nothing_new)
    return {
        "as_of": written(AS_OF),
        "shop": shop,
        "deposit": {
            "kind": "shop",
            "currency": "CNY",
            "required_minor": draw(minor),
            "frozen_minor": draw(minor),
            "lots": lots,
        },
        "orders": [{**item, "id": f"O{index}"} for index, item in enumerate(orders)],
        "after_sales": [{**item, "order_id": "O0"} for item in _named("A", few(_cases(*case)))],
        "disputes": _named("D", few(_cases(*case))),
        "violations": _named("V", few(violations)),
        "restrictions": [{**item, "id": f"R{index}"} for index, item in enumerate(restrictions)],
        "debts": [
            debt(f"B{index}", draw(minor), draw(st.sampled_from(["open", "settled"])))
            for index in range(draw(st.sampled_from([0, 0, 1, 2])))
        ],
        "listings_on_sale": draw(st.sampled_from([0, 0, 0, 3])),
        "withdrawable_balance_minor": draw(st.sampled_from([0, 0, 0, 700])),
    }


_ANCHORS = ("last_completed_order", "shop_closed", "last_dispute_closed", "expulsion")


@st.composite
def packs(draw: st.DrawFn) -> Terms:
    """The shipped packs, and the reference pack with any holds."""
    if draw(st.booleans()):
        return parse_pack(pack_text(draw(st.sampled_from(["reference", "kuaishou-shop"]))).encode())
    hold = st.tuples(
        st.sampled_from(_ANCHORS), st.sampled_from([0, 1, 7, 30, 90]),
        st.sampled_from(["natural_days", "working_days"]),
    )  # fmt: skip
    return pack_with(
        holds=draw(st.lists(hold, min_size=1, max_size=3)), notice_required=draw(st.booleans())
    )
