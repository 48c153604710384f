"""What is known of shops."""

from kuaitui.facts.queries.shops import find_shop, find_shop_by_key, list_shops

__all__ = ["find_shop", "find_shop_by_key", "list_shops"]
