"""What each mapping makes of rows, good and bad, without a database."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from kuaitui.facts.types import (
    AfterSaleReport,
    AfterSaleStatus,
    BalanceReport,
    DebtKind,
    DebtReport,
    DebtStatus,
    DisputeReport,
    DisputeStatus,
    ListingsReport,
    RefusedRow,
    ReportedRow,
    ReportInLog,
    RestrictionKind,
    RestrictionReport,
    ShopKind,
    ShopReport,
    Standing,
    ViolationReport,
    ViolationStatus,
)
from kuaitui.interfaces.cli.imports.errors import FileUnusable, ImportRefused
from kuaitui.interfaces.cli.imports.files import require_readable
from kuaitui.interfaces.cli.imports.mapping import ReadingOrder, Row
from kuaitui.interfaces.cli.imports.reading import MAPPINGS, mapping_named
from kuaitui.kernel.money import Money

AS_OF = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
HEADER = "shop_id,order_id,status,status_at,amount_minor\n"
AT = "2026-01-01T12:00:00+08:00"


class Progress:
    def __init__(self) -> None:
        self.bytes_read = 0
        self.size = 0
        self.digests: dict[Path, str] = {}


def read(
    mapping: str, *paths: Path, shop_id: str | None = None, encoding: str | None = None
) -> list[Row]:
    """All rows of one group of files."""
    module = mapping_named(mapping)
    (group,) = module.groups(paths, encoding=encoding)
    order = ReadingOrder(
        mapping=mapping,
        paths=group,
        as_of=AS_OF,
        currency=module.DEFAULTS.currency,
        zone=module.DEFAULTS.zone,
        encoding=encoding,
        shop_id=shop_id,
        rows_done=0,
    )
    return list(module.rows(order, Progress()))


def write(directory: Path, name: str, content: str | bytes) -> Path:
    path = directory / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def staged(row: Row) -> list[str]:
    assert isinstance(row, str), row
    return row.rstrip("\n").split("\t")


def test_a_row_is_staged_in_the_order_copy_expects(tmp_path: Path) -> None:
    path = write(tmp_path, "o.csv", f"{HEADER}S1,O1,received,{AT},9900\n")

    assert staged(read("kuaitui-csv", path)[0]) == ["S1", "O1", "4", AT, "9900", "CNY", "2"]


def test_columns_may_stand_in_any_order_beside_others(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "o.csv",
        f"\ufeffnote,amount_minor,currency,status_at,status,order_id,shop_id\n"
        f'"a, note",1,USD,{AT},paid,O1,S1\n',
    )

    assert staged(read("kuaitui-csv", path)[0]) == ["S1", "O1", "2", AT, "1", "USD", "2"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"S1,O1,paid,{AT}", "it has 4 fields, the first line has 5"),
        (f"S1,O1,paid,{AT},1,extra", "it has 6 fields"),
        (f",O1,paid,{AT},1", "the shop id is empty"),
        (f"S/1,O1,paid,{AT},1", "without spaces or any of"),
        (f"S1,,paid,{AT},1", "the order id is empty"),
        (f"S1,{'9' * 101},paid,{AT},1", "longer than 100 characters"),
        (f"S1,O\x00,paid,{AT},1", "not printable"),
        (f'S1,"O\n1",paid,{AT},1', "not printable"),
        (f"S1,=1+1,paid,{AT},1", "like a formula"),
        (f"@S1,O1,paid,{AT},1", "like a formula"),
        (f"S1,O1,Paid,{AT},1", "the status 'Paid' is unknown; known are placed, paid"),
        ("S1,O1,paid,yesterday,1", "status_at 'yesterday' is no time"),
        ("S1,O1,paid,2026-02-30T12:00:00+08:00,1", "is no time"),
        ("S1,O1,paid,2026-01-01T12:00:00,1", "has no offset"),
        ("S1,O1,paid,1999-12-31T12:00:00+00:00,1", "before the year 2000"),
        ("S1,O1,paid,2026-11-23T10:00:01+08:00,1", "lies after"),
        (f"S1,O1,paid,{AT},-1", "is negative"),
        (f"S1,O1,paid,{AT},1.5", "not a whole number of minor units"),
        (f"S1,O1,paid,{AT},", "not a whole number of minor units"),
        (f"S1,O1,paid,{AT},१२", "not a whole number of minor units"),
        (f"S1,O1,paid,{AT},{'9' * 30}", "larger than this system can hold"),
        (f"S1,{'x' * 10_001},paid,{AT},1", "a field is longer than 10000 characters"),
    ],
)
def test_a_bad_row_is_refused_with_its_line_and_reason_and_the_next_is_taken(
    tmp_path: Path, row: str, reason: str
) -> None:
    path = write(tmp_path, "o.csv", f"{HEADER}{row}\nS1,O2,paid,{AT},1\n")

    refused, taken = read("kuaitui-csv", path)

    assert isinstance(refused, RefusedRow)
    assert refused.file == "o.csv"
    assert refused.line == 2 + row.count("\n")
    assert reason in refused.reason
    assert staged(taken)[1] == "O2"


def test_a_moment_that_exists_on_a_leap_day_only_is_taken(tmp_path: Path) -> None:
    path = write(tmp_path, "o.csv", f"{HEADER}S1,O1,paid,2024-02-29T23:59:59+08:00,1\n")

    assert staged(read("kuaitui-csv", path)[0])[3] == "2024-02-29T23:59:59+08:00"


def test_bytes_of_another_encoding_deep_in_the_file_refuse_their_row_only(tmp_path: Path) -> None:
    good = f"S1,O1,paid,{AT},1\n".encode()
    path = write(
        tmp_path, "o.csv", HEADER.encode() + good * 2000 + "S1,订单,paid,".encode("gbk")
        + f"{AT},1\n".encode() + good,
    )  # fmt: skip

    rows = read("kuaitui-csv", path)

    refused = [row for row in rows if isinstance(row, RefusedRow)]
    assert [row.line for row in refused] == [2002]
    assert "not in the file's encoding" in refused[0].reason
    assert len(rows) == 2002


def test_a_line_without_end_cannot_fill_the_memory(tmp_path: Path) -> None:
    path = write(tmp_path, "o.csv", HEADER + "x" * 3_000_000 + f"\nS1,O1,paid,{AT},1\n")

    *refused, taken = read("kuaitui-csv", path)

    assert all(isinstance(row, RefusedRow) and len(row.content) <= 500 for row in refused)
    assert staged(taken)[1] == "O1"


def test_a_backslash_in_an_id_survives_copy(tmp_path: Path) -> None:
    path = write(tmp_path, "o.csv", f"{HEADER}S1,O\\t1,paid,{AT},1\n")

    assert staged(read("kuaitui-csv", path)[0])[1] == "O\\\\t1"


def test_one_shop_can_be_named_for_all_rows(tmp_path: Path) -> None:
    path = write(tmp_path, "o.csv", f"order_id,status,status_at,amount_minor\nO1,paid,{AT},1\n")

    assert staged(read("kuaitui-csv", path, shop_id="S9")[0])[0] == "S9"


def test_a_column_that_stands_there_twice_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "o.csv", f"{HEADER.strip()},status\n")

    with pytest.raises(FileUnusable, match="columns status stand there twice"):
        read("kuaitui-csv", path)


ORDER = {"shop_id": "S1", "order_id": "O1", "status": "paid", "status_at": AT, "amount_minor": 1}


DISPUTE = {
    "report": "dispute", "shop_id": "S1", "id": "D1", "status": "open", "status_at": AT,
    "opened_at": AT,
}  # fmt: skip
SHOP = {
    "report": "shop", "shop_id": "S1", "kind": "enterprise", "standing": "restricted",
    "status_at": AT, "opened_at": AT, "name": "茶叶", "categories": ["food"], "closed_at": None,
}  # fmt: skip
MOMENT = dt.datetime.fromisoformat(AT)


@pytest.mark.parametrize(
    ("told", "report"),
    [
        (
            SHOP,
            ShopReport(
                shop_id="S1", standing=Standing.RESTRICTED, status_at=MOMENT, opened_at=MOMENT,
                kind=ShopKind.ENTERPRISE, name="茶叶", categories=("food",),
            ),
        ),
        (
            {"report": "after_sale", "shop_id": "S1", "id": "A1", "order_id": "O1", "status_at": AT,
             "status": "closed", "opened_at": AT, "closed_at": AT},
            AfterSaleReport(
                shop_id="S1", after_sale_id="A1", order_id="O1", status=AfterSaleStatus.CLOSED,
                status_at=MOMENT, opened_at=MOMENT, closed_at=MOMENT,
            ),
        ),
        (
            DISPUTE,
            DisputeReport(
                shop_id="S1", dispute_id="D1", status=DisputeStatus.OPEN, status_at=MOMENT,
                opened_at=MOMENT,
            ),
        ),
        (
            {"report": "violation", "shop_id": "S1", "id": "V1", "status": "appealing",
             "status_at": AT, "occurred_at": AT},
            ViolationReport(
                shop_id="S1", violation_id="V1", status=ViolationStatus.APPEALING,
                status_at=MOMENT, occurred_at=MOMENT,
            ),
        ),
        (
            {"report": "restriction", "shop_id": "S1", "id": "R1", "kind": "live", "status_at": AT,
             "from": AT, "to": "2027-01-01T00:00:00Z"},
            RestrictionReport(
                shop_id="S1", restriction_id="R1", kind=RestrictionKind.LIVE, status_at=MOMENT,
                from_at=MOMENT, to_at=dt.datetime(2027, 1, 1, tzinfo=dt.UTC),
            ),
        ),
        (
            {"report": "debt", "shop_id": "S1", "id": "B1", "kind": "loan", "amount_minor": 1200,
             "status": "open", "status_at": AT},
            DebtReport(
                shop_id="S1", debt_id="B1", kind=DebtKind.LOAN, amount=Money(1200, "CNY"),
                status=DebtStatus.OPEN, status_at=MOMENT,
            ),
        ),
        (
            {"report": "listings", "shop_id": "S1", "listings_on_sale": 3, "status_at": AT},
            ListingsReport(shop_id="S1", listings_on_sale=3, status_at=MOMENT),
        ),
        (
            {"report": "balance", "shop_id": "S1", "withdrawable_balance_minor": 5,
             "currency": "USD", "status_at": AT},
            BalanceReport(
                shop_id="S1", withdrawable_balance=Money(5, "USD"), status_at=MOMENT
            ),
        ),
    ],
)  # fmt: skip
def test_ndjson_tells_of_everything_that_is_reported(
    tmp_path: Path, told: dict[str, object], report: ReportInLog
) -> None:
    (row,) = read("kuaitui-ndjson", write(tmp_path, "o.ndjson", json.dumps(told)))

    assert row == ReportedRow("o.ndjson", 1, report)


def test_ndjson_takes_an_object_a_line(tmp_path: Path) -> None:
    lines = [ORDER, {**ORDER, "report": "order", "currency": "USD", "order_id": 17}]
    path = write(tmp_path, "o.ndjson", "\n\n".join(json.dumps(line) for line in lines))

    first, second = read("kuaitui-ndjson", path)

    assert staged(first) == ["S1", "O1", "2", AT, "1", "CNY", "1"]
    assert staged(second) == ["S1", "17", "2", AT, "1", "USD", "3"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[1]", "not a JSON object"),
        ('{"shop_id"', "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        (json.dumps({**ORDER, "amount_minor": 1.5}), "not a whole number"),
        (json.dumps({**ORDER, "amount_minor": True}), "not a whole number"),
        (json.dumps({**ORDER, "amount_minor": -1}), "is negative"),
        (json.dumps({**ORDER, "amount_minor": 10**16}), "larger than"),
        (json.dumps({**ORDER, "status": None}), "status is missing"),
        (json.dumps({**ORDER, "status": ["paid"]}), "status is not a text"),
        (json.dumps({**ORDER, "stauts": "paid"}), "the field 'stauts' is unknown"),
        (
            json.dumps({**ORDER, "report": "poem"}),
            "report 'poem' is unknown; known are order, shop",
        ),
        (json.dumps({**DISPUTE, "status": "lost"}), "the status 'lost' is unknown; known are open"),
        (json.dumps({**DISPUTE, "closed_at": AT}), "it is open and has an end"),
        (json.dumps({**DISPUTE, "status_at": "2027-01-01T00:00:00Z"}), "lies after"),
        (json.dumps({**DISPUTE, "id": "\ud800"}), "not printable"),
        (json.dumps({**DISPUTE, "shop_id": "a/b"}), "the shop id is empty"),
        (json.dumps({**DISPUTE, "verdict": "none"}), "the field 'verdict' is unknown"),
        (json.dumps({**SHOP, "name": "a\x00b"}), "a text in it is not printable"),
        (json.dumps({**SHOP, "standing": "fine"}), "the standing 'fine' is unknown"),
        (json.dumps({**SHOP, "categories": "food"}), "categories is not a list of texts"),
        (json.dumps({**ORDER, "currency": "XXX"}), "currency 'XXX' is not supported"),
    ],
)
def test_a_bad_ndjson_line_is_refused_and_the_next_is_taken(
    tmp_path: Path, line: str, reason: str
) -> None:
    path = write(tmp_path, "o.ndjson", f"{json.dumps(ORDER)}\n{line}\n{json.dumps(ORDER)}\n")

    _, refused, taken = read("kuaitui-ndjson", path)

    assert isinstance(refused, RefusedRow)
    assert refused.line == 2
    assert reason in refused.reason
    assert staged(taken)[1] == "O1"


def kuaishou(status: int, **changed: object) -> dict[str, object]:
    """An order as the platform's list tells it, with what we must not keep."""
    base = {
        "oid": 2612345678901234,
        "sellerOpenId": "f18d0a",
        "status": status,
        "createTime": 1767225600000,
        "payTime": 1767225660123,
        "sendTime": 0,
        "recvTime": 0,
        "updateTime": 1767312000000,
        "totalFee": 9900,
        "expressFee": 0,
        "buyerNick": "someone",
    }
    return {"orderBaseInfo": {**base, **changed}, "orderAddress": {"consignee": "a person"}}


@pytest.mark.parametrize(
    ("number", "status", "status_at"),
    [
        (10, "1", "2026-01-01T00:00:00+00:00"),
        (30, "2", "2026-01-01T00:01:00.123000+00:00"),
        (40, "3", "2026-01-02T00:00:00+00:00"),
        (50, "4", "2026-01-02T00:00:00+00:00"),
        (70, "5", "2026-01-02T00:00:00+00:00"),
        (80, "6", "2026-01-02T00:00:00+00:00"),
    ],
)
def test_kuaishous_statuses_and_times_are_ours(
    tmp_path: Path, number: int, status: str, status_at: str
) -> None:
    path = write(
        tmp_path, "o.json", json.dumps({"result": 1, "data": {"orderList": [kuaishou(number)]}})
    )

    (row,) = read("kuaishou-orders", path)

    assert staged(row) == ["f18d0a", "2612345678901234", status, status_at, "9900", "CNY", "1"]


def test_kuaishous_orders_come_as_answers_lists_lines_or_one_document(tmp_path: Path) -> None:
    answer = {"result": 1, "data": {"orderList": [kuaishou(30), kuaishou(70)], "cursor": "nomore"}}
    shapes = {
        "answers.ndjson": f"{json.dumps(answer)}\n{json.dumps(answer)}\n",
        "orders.ndjson": "\n".join(json.dumps(kuaishou(30)) for _ in range(4)),
        "list.json": json.dumps([kuaishou(30), kuaishou(30)["orderBaseInfo"], answer]),
        "document.json": json.dumps([answer, answer], indent=2),
    }

    for name, content in shapes.items():
        rows = read("kuaishou-orders", write(tmp_path, name, content))
        assert [staged(row)[1] for row in rows] == ["2612345678901234"] * 4, name


def test_kuaishous_fields_are_read_from_csv_too(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "o.csv",
        "oid,status,payTime,updateTime,totalFee,buyerNick\n"
        "2612345678901234,30,1767225660000,,9900,someone\n",
    )

    (row,) = read("kuaishou-orders", path, shop_id="f18d0a")

    assert staged(row)[:4] == ["f18d0a", "2612345678901234", "2", "2026-01-01T00:01:00+00:00"]


def test_what_a_refused_answer_says_of_people_is_not_kept(tmp_path: Path) -> None:
    order = kuaishou(99)
    path = write(tmp_path, "o.ndjson", f"{json.dumps(order)}\n{json.dumps(order)[:-1]}\n")

    unknown, broken = read("kuaishou-orders", path)

    assert isinstance(unknown, RefusedRow)
    assert "the status '99' is unknown; known are 10, 30, 40" in unknown.reason
    assert "2612345678901234" in unknown.content
    assert isinstance(broken, RefusedRow)
    assert "someone" not in unknown.content + broken.content
    assert "a person" not in unknown.content + broken.content


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"createTime": 1767225600, "payTime": 0, "updateTime": 0}, "no time in milliseconds"),
        ({"createTime": 0, "payTime": 0, "updateTime": 0}, "payTime is missing"),
        ({"totalFee": 12.5}, "not a whole number"),
        ({"totalFee": -1}, "is negative"),
        ({"oid": None}, "oid is missing"),
    ],
)
def test_a_bad_kuaishou_order_is_refused(
    tmp_path: Path, changed: dict[str, object], reason: str
) -> None:
    path = write(tmp_path, "o.ndjson", json.dumps(kuaishou(30, **changed)))

    (refused,) = read("kuaishou-orders", path)

    assert isinstance(refused, RefusedRow)
    assert reason in refused.reason


OLIST_ORDERS = (
    "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,"
    "order_delivered_carrier_date,order_delivered_customer_date,order_estimated_delivery_date\n"
)
OLIST_ITEMS = (
    "order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value\n"
)


def olist(tmp_path: Path, orders: str, items: str) -> list[Row]:
    return read(
        "olist",
        write(tmp_path, "items.csv", OLIST_ITEMS + items),
        write(tmp_path, "orders.csv", OLIST_ORDERS + orders),
    )


def test_an_olist_order_of_two_sellers_becomes_two_orders_with_their_own_sums(
    tmp_path: Path,
) -> None:
    rows = olist(
        tmp_path,
        "A,c,delivered,1/18/2018 14:48,1/18/2018 15:00,1/20/2018 9:00,1/25/2018 18:30,2/1/2018 0:00\n",
        "A,1,p,s1,1/20/2018 0:00,199.9,17.87\nA,2,p,s2,1/20/2018 0:00,5,1\nA,3,p,s1,1/20/2018 0:00,0.1,1\n",
    )

    assert [staged(row) for row in rows] == [
        ["s1", "A", "5", "2018-01-25T18:30:00-02:00", "20000", "BRL", "2"],
        ["s2", "A", "5", "2018-01-25T18:30:00-02:00", "500", "BRL", "2"],
    ]


@pytest.mark.parametrize(
    ("status", "ours", "status_at"),
    [
        ("created", "1", "2018-05-01T08:00:00-03:00"),
        ("approved", "2", "2018-05-02T08:00:00-03:00"),
        ("invoiced", "2", "2018-05-02T08:00:00-03:00"),
        ("processing", "2", "2018-05-02T08:00:00-03:00"),
        ("shipped", "3", "2018-05-03T08:00:00-03:00"),
        ("delivered", "5", "2018-05-03T08:00:00-03:00"),
        ("canceled", "6", "2018-05-03T08:00:00-03:00"),
        ("unavailable", "6", "2018-05-03T08:00:00-03:00"),
    ],
)
def test_olists_statuses_are_ours(tmp_path: Path, status: str, ours: str, status_at: str) -> None:
    rows = olist(
        tmp_path,
        f"A,c,{status},2018-05-01 08:00:00,5/2/2018 8:00,5/3/2018 8:00,,5/9/2018 0:00\n",
        "A,1,p,s1,5/2/2018 0:00,10,1\n",
    )

    assert staged(rows[0])[2:4] == [ours, status_at]


def test_what_does_not_match_in_the_olist_files_is_refused_where_it_stands(tmp_path: Path) -> None:
    rows = olist(
        tmp_path,
        "A,c,delivered,1/1/2018 8:00,,,1/5/2018 8:00,\n"
        "A,c,delivered,1/1/2018 8:00,,,1/5/2018 8:00,\n"
        "B,c,delivered,1/1/2018 8:00,,,1/5/2018 8:00,\n"
        "C,c,lost,1/1/2018 8:00,,,,\n"
        "D,c,created,13/1/2018 8:00,,,,\n",
        "A,1,p,s1,1/2/2018 0:00,10,1\nE,1,p,s1,1/2/2018 0:00,10,1\nA,2,p,s1,1/2/2018 0:00,1.999,1\n",
    )

    refused = {(row.file, row.line): row.reason for row in rows if isinstance(row, RefusedRow)}
    assert refused.keys() == {
        ("orders.csv", 3), ("orders.csv", 4), ("orders.csv", 5), ("orders.csv", 6),
        ("items.csv", 3), ("items.csv", 4),
    }  # fmt: skip
    assert "twice" in refused["orders.csv", 3]
    assert "no items" in refused["orders.csv", 4]
    assert "'lost' is unknown" in refused["orders.csv", 5]
    assert "is no time" in refused["orders.csv", 6]
    assert "not in the file of orders" in refused["items.csv", 3]
    assert "more decimals" in refused["items.csv", 4]
    assert len([row for row in rows if isinstance(row, str)]) == 1


def test_the_olist_files_must_be_complete(tmp_path: Path) -> None:
    path = write(tmp_path, "orders.csv", OLIST_ORDERS)

    with pytest.raises(ImportRefused, match="needs its file of orders"):
        read("olist", path)


@pytest.mark.parametrize("mapping", sorted(MAPPINGS))
def test_every_mapping_gives_the_same_rows_each_time(tmp_path: Path, mapping: str) -> None:
    files = {
        "kuaitui-csv": {"o.csv": HEADER + f"S1,O1,paid,{AT},1\nbad\n"},
        "kuaitui-ndjson": {"o.ndjson": f"{json.dumps(ORDER)}\nbad\n"},
        "kuaishou-orders": {"o.json": json.dumps([kuaishou(30), kuaishou(99)])},
        "olist": {
            "orders.csv": OLIST_ORDERS
            + "B,c,created,1/1/2018 8:00,,,,\nA,c,created,1/1/2018 8:00,,,,\n",
            "items.csv": OLIST_ITEMS + "A,1,p,s2,,1,1\nA,2,p,s1,,1,1\nB,1,p,s1,,1,1\n",
        },
    }[mapping]
    paths = [write(tmp_path, name, content) for name, content in files.items()]

    assert read(mapping, *paths) == read(mapping, *paths)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (
            HEADER.encode() + "S1,订单一,paid".encode("gbk"),
            "line 2: is not UTF-8; it reads as GB18",
        ),
        (HEADER.encode() + b"\xff\xff\xff", "line 2: is not UTF-8; save it as UTF-8"),
        (HEADER.encode("utf-16"), "is in UTF-16; save it as UTF-8 or add --encoding utf-16"),
        (b"PK\x03\x04rest", "is a spreadsheet or a zip file"),
        (b"\n\n", "line 1: the columns shop_id, order_id"),
        (b"shop_id,order_id\n", "status, status_at, amount_minor are missing; it has shop_id"),
        (HEADER.replace(",", ";").encode(), "its columns are not separated by commas"),
        (b"\x1f\x8b\x08\x00rubbish", "is a broken gzip file"),
    ],
)
def test_a_file_that_is_no_export_is_refused_as_a_whole(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = write(tmp_path, "o.csv", content)

    with pytest.raises(FileUnusable) as refusal:
        read_as_the_command_does(path)

    assert str(refusal.value).startswith(f"{path}: ")
    assert said in str(refusal.value)


def read_as_the_command_does(path: Path) -> list[Row]:
    require_readable(path)
    return read("kuaitui-csv", path)


def test_a_directory_a_missing_file_and_an_unknown_encoding_are_named(tmp_path: Path) -> None:
    path = write(tmp_path, "o.csv", HEADER)

    with pytest.raises(FileUnusable, match="is a directory"):
        require_readable(tmp_path)
    with pytest.raises(FileUnusable, match="does not exist"):
        require_readable(tmp_path / "no-such.csv")
    with pytest.raises(FileUnusable, match="no such encoding"):
        read("kuaitui-csv", path, encoding="klingon")


def test_a_marked_utf16_file_is_read_when_it_is_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path, "o.csv", f"{HEADER}S1,订单,paid,{AT},1\n".encode("utf-16"))

    assert staged(read("kuaitui-csv", path, encoding="utf-16")[0])[1] == "订单"
