"""Pages of projects and their tasks."""

from saas_app.projects.pages import projects

blueprint = projects.blueprint
