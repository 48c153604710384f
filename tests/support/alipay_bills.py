"""Bills of Alipay for tests, written as its merchants get them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

from tests.support.alipay import SELLER_ID

ACCOUNT = f"{SELLER_ID}0156"
TRADE_COLUMNS = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,"
    "对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,"
    "券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,"
    "分润（元）,备注"
)
FUND_COLUMNS = (
    "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,"
    "账户余额（元）,交易渠道,业务类型,备注"
)


def trade(
    business: str, number: str, amount: str, *, reference: str = "2026112422001", refund: str = ""
) -> str:
    cells = ["\t"] * 25
    cells[0], cells[1], cells[2] = f"{reference}\t", f"{number}\t", f"{business}\t"
    cells[3], cells[4], cells[5] = "店铺保证金", "2026-11-24 10:00:00", "2026-11-24 10:05:00"
    cells[10] = "*小明(138****8000)"
    cells[11] = cells[12] = amount
    cells[21], cells[22] = f"{refund}\t", "-0.60"
    return ",".join(cells)


def movement(
    business: str,
    number: str,
    *,
    income: str = "0.00",
    outgo: str = "0.00",
    reference: str = "2026112422001",
) -> str:
    return (
        f"54632446537371\t,{reference}\t,{number}\t,店铺保证金,2026-11-24 21:02:06,"
        f"*小明 (138****8000)\t,{income},{outgo},14533.03,支付宝,{business},"
    )


TRADES = (
    trade("交易", "payin_1", "1000.00"),
    trade("交易", "payin_2", "500.5", reference="2026112422002"),
    trade("退款", "payin_1", "-200.00", refund="pay_1_a"),
)
TRADE_ENDING = (
    "#交易合计：2笔，商家实收共1500.50元，商家优惠共0.00元",
    "#退款合计：1笔，商家实收退款共-200.00元，商家优惠退款共0.00元",
    "#导出时间：[2026年11月25日 06:27:10]",
)
MOVEMENTS = (
    movement("在线支付", "payin_1", income="1000.00"),
    movement("收费", "payin_1", outgo="-6.00"),
    movement("交易退款", "payin_1", outgo="-200.00"),
    movement("转账", "pay_2_a", outgo="-300.00", reference="20261124110070"),
    movement("转账退票", "pay_2_a", income="300.00", reference="20261124110071"),
    movement("提现", "", outgo="-400.00"),
    movement("保险", "", outgo="-0.01"),
)
FUND_ENDING = (
    "#支出合计：5笔，共-906.01元",
    "#收入合计：2笔，共1300.00元",
    "#导出时间：[2026年11月25日 06:27:10]",
)


def detail(
    kind: str,
    rows: Sequence[str],
    ending: Sequence[str],
    *,
    account: str = ACCOUNT,
    day: str = "[2026年11月24日 00:00:00]   终止日期：[2026年11月25日 00:00:00]",
) -> str:
    word, columns = ("业务", TRADE_COLUMNS) if kind == "trade" else ("账务", FUND_COLUMNS)
    return "\r\n".join(
        [
            f"#支付宝{word}明细查询",
            f"#账号：[{account}]",
            f"#起始日期：{day}",
            f"#-----------------------------------------{word}明细列表----------------------------",
            columns,
            *rows,
            f"#-----------------------------------------{word}明细列表结束------------------------",
            *ending,
            "",
        ]
    )


def zipped(*texts: str, encoding: str = "gbk") -> bytes:
    """The ZIP, with the summary that always lies in front of the detail."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1_summary.csv", "#支付宝业务汇总查询\r\n合计,0".encode("gbk"))
        for number, text in enumerate(texts, start=2):
            archive.writestr(f"{number}_detail.csv", text.encode(encoding))
    return made.getvalue()


def trade_bill() -> bytes:
    return zipped(detail("trade", TRADES, TRADE_ENDING))


def fund_bill() -> bytes:
    return zipped(detail("signcustomer", MOVEMENTS, FUND_ENDING))
