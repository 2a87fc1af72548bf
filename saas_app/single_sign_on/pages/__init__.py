"""Pages of single sign-on, in the settings of an organization."""

from saas_app.single_sign_on.pages import requiring, wizard

blueprints = (wizard.blueprint,)

__all__ = ["blueprints", "requiring"]
