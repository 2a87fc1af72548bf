"""Members of an organization: listing them, changing roles, removing, leaving."""
