"""Real HTTP servers that behave as the message and identity providers document themselves to behave."""
