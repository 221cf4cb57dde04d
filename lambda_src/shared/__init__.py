"""What every function of the platform shares: messages, batches, logs, clients, events."""
