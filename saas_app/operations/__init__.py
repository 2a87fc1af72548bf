"""Operations: what runs when Workroom is deployed and maintained, never while it answers a request."""
