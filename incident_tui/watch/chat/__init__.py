"""Chat sinks: the durable outbox and one module a dialect."""
