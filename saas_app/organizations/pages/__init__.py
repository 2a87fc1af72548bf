"""Pages of organizations: the list, the overview, and the settings."""

from saas_app.organizations.pages import organizations, settings

blueprints = (organizations.blueprint, settings.blueprint)
