"""Pages of single sign-on: those in the settings of an organization, and the way through its provider."""

from saas_app.single_sign_on.pages import broker, requiring, wizard

blueprints = (wizard.blueprint, broker.blueprint)

__all__ = ["blueprints", "requiring"]
