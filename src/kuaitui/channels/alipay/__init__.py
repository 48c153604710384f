"""Alipay's open platform, gateway "v2": money back, money out, money in, and its bills.

Words: a *method* is one operation of the gateway (`alipay.trade.refund`); its *content* is the
business part of a request, the same bytes for the same instruction; an *answer* is what the
gateway said, once its signature is known to be right. *Key mode* knows Alipay by bare public keys,
*certificate mode* by certificates, and only certificate mode may pay out to accounts.

Invariants: nothing unsigned is believed; every amount is written with two decimals and read without
rounding; an error that no table here names is `Unknown`; no name and no account stands in a URL.

Source: reference §1.3 and §2.2.
"""

from kuaitui.channels.alipay.channel import AlipayChannel
from kuaitui.channels.alipay.settings import AlipaySettings

__all__ = ["AlipayChannel", "AlipaySettings"]
