"""Who belongs to an organization: the list, changing roles, removing, leaving."""
