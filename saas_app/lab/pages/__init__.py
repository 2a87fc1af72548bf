"""Pages of the lab."""

from saas_app.lab.pages import classes, contents, lessons, personas

blueprints = (contents.blueprint, lessons.blueprint, classes.blueprint, personas.blueprint)
