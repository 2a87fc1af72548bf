"""Pages of projects and their tasks."""
