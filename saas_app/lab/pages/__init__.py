"""Pages of the lab."""

from saas_app.lab.pages import contents, lessons, personas

blueprints = (contents.blueprint, lessons.blueprint, personas.blueprint)
