"""Pages of the lab."""

from saas_app.lab.pages import classes, contents, lessons, personas, practice, tokens

blueprints = (
    contents.blueprint,
    lessons.blueprint,
    practice.blueprint,
    classes.blueprint,
    personas.blueprint,
    tokens.blueprint,
)
