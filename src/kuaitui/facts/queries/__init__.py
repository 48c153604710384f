"""What is known of shops."""

from kuaitui.facts.queries.assessing import fact_counts, facts_for_assessment
from kuaitui.facts.queries.intakes import refused_rows, unfinished_intake_id
from kuaitui.facts.queries.shops import find_shop, find_shop_by_key, list_shops

__all__ = [
    "fact_counts",
    "facts_for_assessment",
    "find_shop",
    "find_shop_by_key",
    "list_shops",
    "refused_rows",
    "unfinished_intake_id",
]
