"""Routes of the JSON API for projects and their tasks."""
