"""The worker: carries payouts out, delivers news, keeps clocks.

It holds no state of its own: start as many as you like, kill any of them at any moment.
"""
