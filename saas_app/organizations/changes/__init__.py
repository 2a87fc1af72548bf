"""Changes of organizations: creating one, its settings, and deleting it."""
