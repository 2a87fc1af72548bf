"""Pages of the lab."""

from saas_app.lab.pages import contents

blueprints = (contents.blueprint,)
