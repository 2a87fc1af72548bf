"""Pages of organizations: the list, the overview, and the settings."""
