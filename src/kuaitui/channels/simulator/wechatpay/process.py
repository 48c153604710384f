"""The simulated WeChat Pay, put together from its options."""

from __future__ import annotations

from typing import Final

from kuaitui.channels.simulator.faults import Fault, Operation, Rule
from kuaitui.channels.simulator.notifier import Notifier
from kuaitui.channels.simulator.process import HOST, SimulatedChannel, SimulatorOptions, prepare
from kuaitui.channels.simulator.signing import shared_key
from kuaitui.channels.simulator.wechatpay.book import WechatPayBook
from kuaitui.channels.simulator.wechatpay.identities import AUTHORIZE
from kuaitui.channels.simulator.wechatpay.institution import WechatPay
from kuaitui.channels.simulator.wechatpay.keys import APPID, MCHID, Keys
from kuaitui.channels.simulator.wechatpay.notices import WechatPayHand
from kuaitui.channels.simulator.wechatpay.server import WechatPayServer

# What the last four characters of an openid mean in the demo.
DEMO_RULES: Final = (
    Rule(Fault.REFUSE, tail="4001", code="USER_ACCOUNT_ABNORMAL"),
    Rule(Fault.ABNORMAL, tail="4002"),
    Rule(Fault.DROP_ANSWER, tail="4003"),
    Rule(Fault.DROP_ANSWER, Operation.QUERY, tail="4003"),
    Rule(Fault.SLOW, tail="4004", seconds=86400),
    Rule(Fault.CLOSE_LATE, tail="4005", seconds=90000),
    Rule(Fault.DROP_ANSWER, tail="4006"),
)


def build(options: SimulatorOptions) -> SimulatedChannel:
    """The simulated WeChat Pay, listening on its port."""
    book = WechatPayBook(
        str(options.book),
        clock=lambda: options.clock().timestamp(),
        default_notify_url=options.notify_url,
    )
    prepare(book, options, demo_rules=DEMO_RULES)
    keys = Keys(options.keys, now=options.clock())
    wechat_pay = WechatPay.open(book, keys)
    server = WechatPayServer(
        host=HOST, port=options.port, wechat_pay=wechat_pay, key=shared_key(options.key_file)
    )
    notifier = Notifier(store=book, hand=WechatPayHand(book, keys))
    server.notifier = notifier
    return SimulatedChannel(book, server, notifier)


def settings_entry(options: SimulatorOptions) -> dict[str, object]:
    """What `KUAITUI_CHANNELS` says of the merchant of this simulator; makes its keys."""
    keys = Keys(options.keys, now=options.clock())
    key_id = keys.current("public_key").key_id
    return {
        "adapter": "wechatpay",
        "base_url": f"http://{HOST}:{options.port}",
        "mchid": MCHID,
        "appid": APPID,
        "merchant_serial": keys.merchant_serial,
        "merchant_key_file": str(keys.merchant_key_file),
        "apiv3_key_file": str(keys.apiv3_key_file),
        "wechatpay_keys": {key_id: str(keys.file_of(key_id))},
        "user_identification": {
            "app_secret_file": str(keys.app_secret_file),
            "page": f"http://{HOST}:{options.port}{AUTHORIZE}",
            "base_url": f"http://{HOST}:{options.port}",
        },
        "confirm_page": f"http://{HOST}:{options.port}/sim/confirm/",
        "notify_url": options.notify_url or f"http://{HOST}:8000/callbacks/wechatpay",
        "transfer_scene": {
            "scene_id": "1011",
            "reports": [{"info_type": "赔付原因", "info_content": "店铺保证金退还"}],
            "remark": "保证金退还",
        },
    }
