"""Pages of organizations: the list, the overview, and the settings, whose pages share a blueprint."""

from saas_app.organizations.pages import approvers, branding, conflicts, overview, settings

blueprints = (overview.blueprint, settings.blueprint)

__all__ = ["approvers", "blueprints", "branding", "conflicts"]
