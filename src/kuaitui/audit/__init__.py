"""What happened, appended and chained, never changed."""
