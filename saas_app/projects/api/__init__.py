"""Routes of the JSON API for projects and their tasks."""

from quart_schema import Tag

from saas_app.projects.api import projects

TAG = Tag("projects", description="Projects and their tasks")
blueprint = projects.blueprint
