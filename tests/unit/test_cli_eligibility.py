"""`kuaitui eligibility` as a person or a script uses it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from kuaitui.interfaces.cli.main import main
from kuaitui.policy import assess, load_pack, parse_facts
from kuaitui.policy.types import RefundKind
from tests.support.policy_documents import ago, clean_document, order, pack_text, restriction

EXAMPLE = Path(__file__).parents[2] / "docs/examples/facts.json"


@pytest.fixture
def call(capsys, monkeypatch):
    def run(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        with pytest.raises(SystemExit) as ended:
            main(["eligibility", *arguments])
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return run


@pytest.fixture
def facts_file(tmp_path):
    def write(document: object) -> str:
        file = tmp_path / "facts.json"
        file.write_text(json.dumps(document), "utf-8")
        return str(file)

    return write


def test_json_output_is_the_assessment_of_the_documented_shape(call):
    code, out, err = call(str(EXAMPLE), "--policy", "kuaishou-shop", "--json")

    facts = parse_facts(json.loads(EXAMPLE.read_text("utf-8")))
    expected = assess(load_pack("kuaishou-shop"), facts, kind=RefundKind.FULL_EXIT).to_json()
    assert (code, err) == (0, "")
    assert json.loads(out) == expected
    assert list(json.loads(out)) == [
        "shop_id", "as_of", "policy", "kind", "eligible", "held_minor", "frozen_minor",
        "owed_minor", "refundable_minor", "earliest_on", "findings",
    ]  # fmt: skip
    assert json.loads(out)["policy"] == {"pack": "kuaishou-shop", "version": "2026-11-01"}


def test_people_read_the_answer_the_sum_and_each_blocker_by_name(call):
    code, out, _ = call(str(EXAMPLE), "--policy", "reference", "--language", "zh")

    assert code == 0
    for part in ("暂时还不能退还", "¥2,988.00", "O1", "A1", "2026 年 12 月 14 日", "reference 2.1"):
        assert part in out
    assert "\x1b" not in out


def test_people_read_it_in_english_too(call):
    code, out, _ = call(
        str(EXAMPLE), "--policy", "reference", "--kind", "excess", "--language", "en"
    )

    assert code == 0
    for part in ("Not yet", "¥2,500.00", "to be kept", "1 December 2026"):
        assert part in out
    assert not any("\u4e00" <= character <= "\u9fff" for character in out)


def test_an_eligible_shop_exits_with_zero_as_well(call, facts_file):
    code, out, _ = call(facts_file(clean_document()), "--policy", "reference", "--language", "zh")

    assert code == 0
    assert "可以申请退还" in out


def test_as_of_moves_the_moment_of_the_assessment(call, facts_file):
    name = facts_file(clean_document(orders=[order("O1", "completed", ago(10))]))

    def assessed(*more: str) -> dict:
        return json.loads(call(name, "--policy", "reference", "--json", *more)[1])

    earliest_on = assessed()["earliest_on"]
    assert earliest_on == "2026-12-13"
    assert not assessed("--as-of", "2026-12-12T23:59:59+08:00")["eligible"]
    assert assessed("--as-of", "2026-12-13T00:00:00+08:00")["eligible"]
    assert assessed("--as-of", "2026-12-12T16:00:00Z")["eligible"]
    assert assessed("--as-of", earliest_on)["eligible"]
    assert not assessed("--as-of", "2026-12-12")["eligible"]


def test_a_date_alone_means_the_end_of_that_day_in_the_marketplace(call, facts_file):
    ends_at = "2026-12-01T15:00:00+08:00"
    name = facts_file(clean_document(restrictions=[restriction("R1", "live", ago(1), ends_at)]))

    def is_eligible(as_of: str) -> bool:
        return json.loads(call(name, "--policy", "reference", "--json", "--as-of", as_of)[1])[
            "eligible"
        ]

    assert is_eligible("2026-12-01")
    assert not is_eligible("2026-11-30")


def test_facts_come_from_standard_input_too(call):
    code, out, _ = call("-", "--policy", "reference", "--json", stdin=EXAMPLE.read_bytes())

    assert code == 0
    assert json.loads(out)["shop_id"] == "S1"


def test_wrong_facts_are_listed_field_by_field_and_nothing_is_printed(call, facts_file):
    document = clean_document(listings_on_sale=True, colour="red")
    document["shop"]["kind"] = "museum"

    code, out, err = call(facts_file(document), "--policy", "reference", "--json")

    assert (code, out) == (2, "")
    lines = err.splitlines()
    assert "3 problems" in lines[0]
    assert {line.split(":")[0].strip() for line in lines[1:]} == {
        "colour", "shop.kind", "listings_on_sale",
    }  # fmt: skip


def test_a_wrong_pack_is_listed_field_by_field(call, tmp_path):
    pack = tmp_path / "mine.toml"
    pack.write_text(pack_text().replace('zone = "Asia/Shanghai"', 'zone = "Mars"'), "utf-8")

    code, out, err = call(str(EXAMPLE), "--policy", str(pack), "--language", "zh")

    assert (code, out) == (2, "")
    assert "pack.zone: 没有“Mars”这个时区" in err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("missing.json", "--policy", "reference"), "missing.json"),
        ((".", "--policy", "reference"), "."),
        (("a\0b", "--policy", "reference"), "a"),
        ((str(EXAMPLE), "--policy", "nonsense"), "nonsense"),
        ((str(EXAMPLE), "--policy", "reference", "--as-of", "2026-12-13T00:00:00"), "--as-of"),
        ((str(EXAMPLE), "--policy", "reference", "--as-of", "tomorrow"), "--as-of"),
        ((str(EXAMPLE), "--policy", "reference", "--as-of", "2026-02-30"), "--as-of"),
        ((str(EXAMPLE), "--policy", "reference", "--kind", "half"), "--kind"),
        ((str(EXAMPLE),), "--policy"),
    ],
)
def test_an_unusable_argument_is_named_and_exits_with_two(call, arguments, named):
    code, out, err = call(*arguments)

    assert (code, out) == (2, "")
    assert named in err
    assert "Traceback" not in err


def test_it_needs_neither_django_nor_a_database_driver():
    script = (
        "import sys\n"
        "from kuaitui.interfaces.cli.main import main\n"
        f"sys.argv = ['kuaitui', 'eligibility', {str(EXAMPLE)!r}, '--policy', 'reference', '--json']\n"
        "try: main()\n"
        "except SystemExit as end: code = end.code\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "sys.exit(code or len(loaded & {'django', 'psycopg', 'httpx', 'cel'}))\n"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)

    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["shop_id"] == "S1"
