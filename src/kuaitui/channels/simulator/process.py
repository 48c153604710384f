"""One simulated channel, put together from its options and served until somebody asks to stop."""

from __future__ import annotations

import datetime as dt
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from kuaitui.channels.simulator.book import Book
from kuaitui.channels.simulator.faults import DEMO_RULES, Rule, troubles
from kuaitui.channels.simulator.notifier import Notifier, PlainHand
from kuaitui.channels.simulator.server import serve
from kuaitui.channels.simulator.serving import SimulatorServer
from kuaitui.channels.simulator.signing import shared_key
from kuaitui.channels.simulator.store import Store

HOST = "127.0.0.1"
POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class SimulatorOptions:
    """What a simulated channel is started with."""

    port: int
    book: Path
    key_file: Path
    keys: Path
    """Where a channel that has keys of its own keeps them, and those of its merchant."""
    clock: Callable[[], dt.datetime]
    starts_at: dt.datetime | None = None
    processing_s: float = 0.0
    fee_rate: Decimal = Decimal(0)
    """What of a payment is kept as its fee, in percent; only institutions that take fees have it."""
    notify_url: str = ""
    behaves_as_demo: bool = False
    seed: int = 0
    trouble_chance: float = 0.0


@dataclass(slots=True)
class SimulatedChannel:
    """A channel that can be served."""

    store: Store
    server: SimulatorServer
    notifier: Notifier | None = None

    def serve_until_asked_to_stop(self) -> None:
        """Serve; SIGTERM and SIGINT end it."""
        if self.notifier is not None:
            self.notifier.start()
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            # `shutdown` waits for the loop that the handler interrupts: another thread asks.
            signal.signal(
                signal_number, lambda *_: threading.Thread(target=self.server.shutdown).start()
            )
        self.server.serve_forever(poll_interval=POLL_S)
        self.server.server_close()
        if self.notifier is not None:
            self.notifier.stop()
        self.store.close()


def prepare(store: Store, options: SimulatorOptions, *, demo_rules: Sequence[Rule] = ()) -> None:
    """Set the store's clock, pace and faults as the options want them."""
    settings = {"processing_s": str(options.processing_s), "seed": str(options.seed)}
    settings["fee_rate"] = str(options.fee_rate)
    if options.starts_at is not None:
        ahead_s = (options.starts_at - options.clock()).total_seconds()
        settings["clock_ahead_s"] = str(ahead_s)
    store.set_settings(settings)
    rules = [*demo_rules] if options.behaves_as_demo else []
    rules += troubles(options.trouble_chance) if options.trouble_chance else ()
    if rules:
        store.clear_rules()
    for rule in rules:
        store.add_rule(rule)


def build(options: SimulatorOptions) -> SimulatedChannel:
    """The plain simulator: no institution's protocol, one shared key."""
    book = Book(str(options.book), clock=lambda: options.clock().timestamp())
    prepare(book, options, demo_rules=DEMO_RULES)
    key = shared_key(options.key_file)
    server = serve(host=HOST, port=options.port, book=book, key=key)
    url = options.notify_url
    notifier = Notifier(store=book, hand=PlainHand(url=url, key=key)) if url else None
    return SimulatedChannel(book, server, notifier)


def settings_entry(options: SimulatorOptions) -> dict[str, object]:
    """What `KUAITUI_CHANNELS` says of the plain simulator."""
    return {"base_url": f"http://{HOST}:{options.port}", "key_file": str(options.key_file)}
