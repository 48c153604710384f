"""Names of invented shops and people. Any likeness to a real one is chance."""

from __future__ import annotations

from random import Random

from kuaitui.kernel.money import Money

CURRENCY = "CNY"

PLACES = (
    "青柠",
    "云溪",
    "木禾",
    "南桥",
    "小满",
    "山月",
    "知夏",
    "拾光",
    "白鹭",
    "禾田",
    "星野",
    "半夏",
    "渡口",
    "听风",
    "暖阳",
    "竹里",
)
GOODS = (
    ("零食铺", "food"),
    ("茶行", "food"),
    ("女装", "clothing"),
    ("童装", "clothing"),
    ("文具店", "stationery"),
    ("花坊", "flowers"),
    ("数码", "electronics"),
    ("家居馆", "home"),
    ("母婴", "baby"),
    ("渔具", "sports"),
    ("宠物用品", "pets"),
    ("手作", "crafts"),
    ("水果店", "food"),
    ("灯饰", "home"),
)
FAMILY = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = (
    "晓云",
    "建国",
    "子涵",
    "丽华",
    "志强",
    "雨桐",
    "海燕",
    "明辉",
    "思远",
    "玉兰",
    "家豪",
    "欣怡",
    "文博",
    "秀珍",
    "宇航",
    "静怡",
)
BANKS = ("招商银行", "中国工商银行", "中国建设银行", "中国农业银行", "中国银行", "交通银行")


def shop_name(rng: Random) -> tuple[str, str]:
    """A shop's name and what it sells."""
    goods, category = rng.choice(GOODS)
    return rng.choice(PLACES) + goods, category


def person_name(rng: Random) -> str:
    """A person's name."""
    return rng.choice(FAMILY) + rng.choice(GIVEN)


def card_number(rng: Random, tail: str) -> str:
    """A card number of nobody: right in form (19 digits, Luhn), ending in `tail`.

    One digit before the tail is chosen so that the check digit, the last of the tail, fits.
    """
    head = "622588" + "".join(str(rng.randrange(10)) for _ in range(8))
    return next(number for digit in "0123456789" if _passes_luhn(number := f"{head}{digit}{tail}"))


def _passes_luhn(number: str) -> bool:
    digits = [int(letter) for letter in reversed(number)]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def number_of(kind: str, shop_id: str, index: int) -> str:
    """The marketplace's number of an order or case of a demo shop."""
    return f"{kind}{shop_id[2:]}{index + 1:02d}"


def yuan(amount: int) -> Money:
    """Whole yuan."""
    return Money(amount * 100, CURRENCY)
