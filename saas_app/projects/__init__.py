"""Projects of an organization and their tasks."""
