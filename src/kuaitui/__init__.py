"""kuaitui 快退: the deposit desk of an online marketplace."""

from importlib.metadata import version

__version__ = version("kuaitui")
