"""What the marketplace reports of its shops: orders, cases, restrictions, debts."""
