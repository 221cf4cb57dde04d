"""What scenarios share: their context, waiting, watching the bus, other principals."""
