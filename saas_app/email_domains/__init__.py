"""Email domains whose people join an organization automatically."""
