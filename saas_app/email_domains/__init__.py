"""Email domains whose people join an organization automatically: claimed, verified, checked again, lost."""
