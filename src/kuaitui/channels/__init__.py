"""The border to payment channels: port, adapters, simulator. No Django."""
