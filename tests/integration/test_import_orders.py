"""`kuaitui import orders`: whole files, stopped anywhere, told twice, good and bad."""

from __future__ import annotations

import csv
import gzip
import json
import os
import signal
import time
from pathlib import Path

import psycopg
import pytest

from tests.support.cli_import import ImportWorld, _import_template, import_world

__all__ = ["_import_template", "import_world"]

HEADER = "shop_id,order_id,status,status_at,amount_minor\n"
GOOD = "S1,O{},completed,2026-01-01T12:00:00+08:00,9900\n"
OLIST = Path(__file__).resolve().parents[3] / "shared" / "data" / "olist-sample"
SHARED_OLIST = Path(os.environ.get("KUAITUI_OLIST_SAMPLE", OLIST))
STATE = """
SELECT shop_id, order_id, status, status_at, amount_minor
FROM facts_order JOIN facts_shop ON id = shop_key ORDER BY 1, 2
"""


def test_every_row_of_a_good_file_becomes_a_fact(import_world: ImportWorld) -> None:
    path = import_world.write("orders.csv", HEADER + GOOD.format(1) + GOOD.format(2))

    done = import_world.run(path, "--mapping", "kuaitui-csv")

    assert done.returncode == 0, done.stderr
    assert "2 rows recorded, 0 refused" in done.stderr
    assert [row[:3] for row in import_world.ask(STATE)] == [("S1", "O1", 5), ("S1", "O2", 5)]
    assert not (import_world.directory / "orders.csv.refused.csv").exists()


def test_the_same_file_again_is_done_already(import_world: ImportWorld) -> None:
    path = import_world.write("orders.csv", HEADER + GOOD.format(1))
    import_world.run(path, "--mapping", "kuaitui-csv")

    again = import_world.run(path, "--mapping", "kuaitui-csv")

    assert again.returncode == 0
    assert "was imported before" in again.stderr
    assert import_world.ask("SELECT count(*) FROM facts_order_report") == [(1,)]


def test_refused_rows_go_to_a_file_with_line_reason_and_harmless_content(
    import_world: ImportWorld,
) -> None:
    path = import_world.write(
        "orders.csv",
        HEADER
        + GOOD.format(1)
        + "S1,=HYPERLINK(1),completed,2026-01-01T12:00:00+08:00,1\n"
        + "=S1,O2,completed,2026-01-01T12:00:00+08:00,1\n"
        + GOOD.format(3),
    )

    done = import_world.run(path, "--mapping", "kuaitui-csv")

    assert done.returncode == 1
    assert "2 rows recorded, 2 refused" in done.stderr
    with (import_world.directory / "orders.csv.refused.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [(row["file"], row["line"]) for row in rows] == [
        ("orders.csv", "3"),
        ("orders.csv", "4"),
    ]
    assert "formula" in rows[0]["reason"]
    assert rows[1]["row"].startswith("'=S1")
    assert len(import_world.ask(STATE)) == 2


def test_a_shop_nobody_knows_is_refused_when_shops_are_not_to_be_made(
    import_world: ImportWorld,
) -> None:
    path = import_world.write("orders.csv", HEADER + GOOD.format(1))

    done = import_world.run(path, "--mapping", "kuaitui-csv", "--no-create-shops")

    assert done.returncode == 1
    refused = (import_world.directory / "orders.csv.refused.csv").read_text()
    assert "the shop 'S1' is not known" in refused
    assert import_world.ask("SELECT count(*) FROM facts_shop") == [(0,)]
    assert import_world.ask("SELECT count(*) FROM facts_order_report") == [(0,)]


def test_an_amount_in_another_currency_than_the_shops_is_refused(
    import_world: ImportWorld,
) -> None:
    path = import_world.write(
        "orders.csv",
        HEADER.strip() + ",currency\n" + GOOD.format(1).strip() + ",CNY\n"
        + GOOD.format(2).strip() + ",USD\n",
    )  # fmt: skip
    import_world.run(import_world.write("first.csv", HEADER + GOOD.format(0)),
                     "--mapping", "kuaitui-csv")  # fmt: skip

    done = import_world.run(path, "--mapping", "kuaitui-csv")

    assert done.returncode == 1
    refused = (import_world.directory / "orders.csv.refused.csv").read_text()
    assert "the amount is in USD, the shop trades in CNY" in refused
    assert [row[1] for row in import_world.ask(STATE)] == ["O0", "O1"]


@pytest.mark.slow
def test_an_import_killed_again_and_again_ends_like_one_that_was_not(
    import_world: ImportWorld,
) -> None:
    rows = 160_000
    path = import_world.write(
        "orders.csv",
        HEADER
        + "".join(
            f"S{number % 700},O{number % 150_000},{'paid' if number % 7 else 'completed'},"
            f"2026-01-{number % 28 + 1:02}T12:00:00+08:00,{number}\n"
            for number in range(rows - 1)
        )
        + "S1,O1,nonsense,2026-01-01T12:00:00+08:00,1\n",
    )
    position = 0
    for _ in range(3):
        process = import_world.start(path, "--mapping", "kuaitui-csv")
        children = wait_for_progress(import_world, process.pid, beyond=position)
        process.send_signal(signal.SIGKILL)
        process.wait()
        for child in children:
            wait_until_gone(child)
        position = rows_read(import_world)
        if position == rows:
            break

    last = import_world.run(path, "--mapping", "kuaitui-csv")

    assert position > 0
    assert last.returncode == 1, last.stderr
    assert import_world.ask("SELECT count(*) FROM facts_order_report") == [(rows - 1,)]
    assert import_world.ask("SELECT rows_read, rows_recorded, rows_refused FROM facts_intake") == [
        (rows, rows - 1, 1)
    ]
    assert import_world.ask(STATE_UNLIKE_THE_LOG) == []


# The state derived anew from the log, minus the state as it is, and the other way round.
STATE_UNLIKE_THE_LOG = """
WITH derived AS (
    SELECT DISTINCT ON (shop_key, order_id) shop_key, order_id, status, status_at, amount_minor
    FROM facts_order_report
    ORDER BY shop_key, order_id, status_at DESC, status DESC, amount_minor DESC
)
(SELECT * FROM derived EXCEPT SELECT shop_key, order_id, status, status_at, amount_minor
    FROM facts_order)
UNION ALL
(SELECT shop_key, order_id, status, status_at, amount_minor FROM facts_order
    EXCEPT SELECT * FROM derived)
"""


def rows_read(world: ImportWorld) -> int:
    return int((world.ask("SELECT rows_read FROM facts_intake") or [(0,)])[0][0])


def wait_for_progress(world: ImportWorld, pid: int, *, beyond: int) -> list[int]:
    """Wait until another chunk has been taken; the processes the import has started."""
    for _ in range(3_000):
        try:
            if rows_read(world) > beyond:
                break
        except psycopg.Error:
            pass
        time.sleep(0.01)
    else:
        pytest.fail("the import does not move")
    return children_of(pid)


def children_of(pid: int) -> list[int]:
    try:
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]
    except FileNotFoundError:
        return []


def wait_until_gone(pid: int) -> None:
    for _ in range(1_000):
        try:
            if Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] == "Z":
                return
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.01)
    pytest.fail("the reading process outlived the import")


def test_a_file_that_changed_is_read_from_its_first_row(import_world: ImportWorld) -> None:
    path = import_world.write("orders.csv", HEADER + GOOD.format(1))
    import_world.run(path, "--mapping", "kuaitui-csv")
    with psycopg.connect(import_world.url) as connection:
        connection.execute("UPDATE facts_intake SET finished_at = NULL")
    path.write_text(HEADER + GOOD.format(1) + GOOD.format(2))

    done = import_world.run(path, "--mapping", "kuaitui-csv")

    assert done.returncode == 0
    assert "has changed since import imp_" in done.stderr
    assert [row[1] for row in import_world.ask(STATE)] == ["O1", "O2"]


def test_a_file_that_is_no_export_is_refused_before_anything_is_taken(
    import_world: ImportWorld,
) -> None:
    path = import_world.write("gbk.csv", HEADER.encode() + "S1,订单一,paid".encode("gbk"))

    done = import_world.run(path, "--mapping", "kuaitui-csv")

    assert done.returncode == 2
    assert f"{path}: line 2: is not UTF-8; it reads as GB18030" in done.stderr
    assert import_world.ask("SELECT count(*) FROM facts_order_report") == [(0,)]
    assert import_world.ask("SELECT count(*) FROM facts_shop") == [(0,)]


def test_a_compressed_file_in_another_encoding_is_read(import_world: ImportWorld) -> None:
    content = (HEADER + "S1,订单一,paid,2026-01-01T12:00:00+08:00,1\n").encode("gb18030")
    path = import_world.write("orders.csv.gz", gzip.compress(content))

    done = import_world.run(path, "--mapping", "kuaitui-csv", "--encoding", "gb18030")

    assert done.returncode == 0, done.stderr
    assert [row[1] for row in import_world.ask(STATE)] == ["订单一"]


def test_the_sample_of_olist_gives_one_order_for_each_seller_in_each_order(
    import_world: ImportWorld,
) -> None:
    if not SHARED_OLIST.is_dir():
        pytest.skip(f"the Olist sample is not at {SHARED_OLIST}")
    files = [
        SHARED_OLIST / f"olist_{name}_dataset.csv" for name in ("order_items", "orders", "sellers")
    ]
    with files[0].open(newline="") as handle:
        items = list(csv.DictReader(handle))
    pairs = {(item["seller_id"], item["order_id"]) for item in items}

    done = import_world.run(*files, "--mapping", "olist")

    assert done.returncode == 0, done.stderr
    assert {(row[0], row[1]) for row in import_world.ask(STATE)} == pairs
    assert import_world.ask("SELECT DISTINCT currency, zone FROM facts_shop") == [
        ("BRL", "America/Sao_Paulo")
    ]
    assert import_world.ask("SELECT sum(amount_minor) FROM facts_order") == [
        (sum(round(float(item["price"]) * 100) for item in items),)
    ]


def test_one_file_can_tell_everything_about_a_shop(import_world: ImportWorld) -> None:
    at = "2026-01-01T12:00:00+08:00"
    about = {"shop_id": "S1", "status_at": at}
    path = import_world.write(
        "facts.ndjson",
        "\n".join(
            json.dumps({**about, **told})
            for told in (
                {"order_id": "O1", "status": "paid", "amount_minor": 9900},
                {"report": "shop", "kind": "enterprise", "standing": "restricted", "opened_at": at},
                {"report": "dispute", "id": "D1", "status": "open", "opened_at": at},
                {"report": "debt", "id": "B1", "kind": "loan", "amount_minor": 7, "status": "open"},
                {"report": "debt", "id": "B2", "kind": "loan", "amount_minor": 7, "status": "open",
                 "currency": "USD"},
                {"report": "listings", "listings_on_sale": 3, "shop_id": "S2"},
            )
        ),
    )  # fmt: skip

    done = import_world.run("--mapping", "kuaitui-ndjson", path)
    without_new_shops = import_world.run(
        "--mapping", "kuaitui-ndjson", "--no-create-shops",
        import_world.write("more.ndjson", json.dumps({**about, "shop_id": "S3", "report": "listings",
                                                      "listings_on_sale": 1})),
    )  # fmt: skip

    assert (done.returncode, without_new_shops.returncode) == (1, 1)
    assert "5 rows recorded, 1 refused" in done.stderr
    refused = (import_world.directory / "facts.ndjson.refused.csv").read_text()
    assert 'facts.ndjson,5,"the amount is in USD, the shop trades in CNY"' in refused
    assert import_world.ask(
        "SELECT shop_id, s.standing, open_orders, open_disputes, owed_minor, s.listings_on_sale"
        " FROM facts_summary AS s JOIN facts_shop ON id = shop_key ORDER BY 1"
    ) == [("S1", "restricted", 1, 1, 7, 0), ("S2", "normal", 0, 0, 0, 3)]
    assert import_world.ask("SELECT count(*) FROM facts_shop WHERE shop_id = 'S3'") == [(0,)]
