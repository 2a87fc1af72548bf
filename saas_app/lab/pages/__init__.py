"""Pages of the lab."""

from saas_app.lab.pages import contents, lessons

blueprints = (contents.blueprint, lessons.blueprint)
