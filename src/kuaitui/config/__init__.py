"""The composition root: settings, addresses, logging. Nothing imports it; processes start from it."""
