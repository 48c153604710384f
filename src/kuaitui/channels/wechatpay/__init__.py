"""WeChat Pay APIv3: collects, refunds along the payment, transfers to a user, gives bills.

Words: *fen* are the whole minor units of its API, *yuan* the decimals of its bill files; a *serial*
names a key, ours (of the merchant's certificate) or WeChat's (`PUB_KEY_ID_…`, or a certificate's).

Invariants: nothing WeChat says is believed before its signature is checked; the same instruction
makes the same body, byte for byte; no name, account number or key is in a cause or a log.

Source: reference §1.1 and §1.2, and what the official documents and libraries publish as examples.
"""

from kuaitui.channels.wechatpay.channel import WeChatPayChannel
from kuaitui.channels.wechatpay.settings import KeyMode, TransferScene, WeChatPaySettings

__all__ = ["KeyMode", "TransferScene", "WeChatPayChannel", "WeChatPaySettings"]
