"""Pages of organizations: the list, the overview, and the settings."""

from saas_app.organizations.pages import overview, settings

blueprints = (overview.blueprint, settings.blueprint)
