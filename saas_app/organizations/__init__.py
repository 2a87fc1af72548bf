"""Organizations: the front page, the list, the switcher, the overview, access, and settings."""
