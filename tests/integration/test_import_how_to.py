"""docs/how-to/import-orders.md: every command on the page, on the files shown there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.support.cli_import import ImportWorld, _import_template, import_world

__all__ = ["_import_template", "import_world"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "import-orders.md"
FILE_SHOWN = re.compile(r"this as `([^`]+)`:\n\n```(?:csv|json)\n(.*?)```", re.DOTALL)
COMMAND_SHOWN = re.compile(r"```sh(?: exit=(\d))?\nkuaitui import (.*?)\n```", re.DOTALL)


def test_every_command_on_the_page_does_what_it_says(import_world: ImportWorld) -> None:
    text = PAGE.read_text()
    files = FILE_SHOWN.findall(text)
    commands = COMMAND_SHOWN.findall(text)
    for name, content in files:
        import_world.write(name, content)

    for exit_code, command in commands:
        done = import_world.run_import(*shlex.split(command))
        assert done.returncode == int(exit_code or 0), (command, done.stderr)

    assert (len(files), len(commands)) == (7, 7)
    assert len((import_world.directory / "refused.csv").read_text().splitlines()) == 3
    assert import_world.ask("SELECT count(*) FROM facts_order") == [(9,)]
    assert import_world.ask(
        "SELECT s.standing, open_orders, open_after_sales, open_disputes, open_violations,"
        " open_debts, owed_minor, s.listings_on_sale, s.withdrawable_balance_minor"
        " FROM facts_summary AS s JOIN facts_shop ON id = shop_key WHERE shop_id = 'S1'"
    ) == [("normal", 3, 1, 0, 1, 1, 1200, 12, 88000)]
    assert import_world.ask(
        "SELECT shop_id, required_minor, sum(amount_minor) FROM deposits_account AS a"
        " JOIN facts_shop AS s ON s.id = shop_key LEFT JOIN deposits_lot AS l ON l.account_id = a.id"
        " GROUP BY 1, 2 ORDER BY 1"
    ) == [("S1", 500000, 500000), ("S2", 100000, None)]
