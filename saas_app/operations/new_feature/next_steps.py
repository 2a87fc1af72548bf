"""What is left to do by hand after the skeleton was written, in order: six files, then four commands."""

from __future__ import annotations

from string import Template
from typing import Final

from saas_app.operations.new_feature.names import FeatureNames
from saas_app.text.translation import _

_STEPS: Final = _("""\
The next steps, with the numbers of docs/add-a-feature.md:

 2. saas_app/rbac/permissions.py: declare the permissions, and assign them to roles in ROLE_PERMISSIONS.
        ${MANY}_READ = ("${slug}:read", _("View ${many_words}"), Carrier.API_TOKEN)
        ${MANY}_WRITE = ("${slug}:write", _("Add ${many_words}"), Carrier.API_TOKEN)
 3. saas_app/models/__init__.py: import the model, and add it to __all__.
        from saas_app.models.${one} import ${One}
 4. saas_app/audit/recorder.py: add the action.
        ${ONE}_ADD = ("${slug_one}.add", _("${One_words} added"))
 5. saas_app/features.py: add the feature, which registers its routes.
        "${many}",
 6. saas_app/web/navigation.py: add it to the menu.
        MenuEntry("${slug}", _("${Many_words}"), Permission.${MANY}_READ),
 7. make migration NAME="add ${many_words}"
 8. make translations
    translations/es.po: translate the new texts.
 9. .venv/bin/saas-app permissions --markdown
    .venv/bin/saas-app openapi --write docs/openapi.json
10. make fmt lint
    make test ARGS="tests/integration/${many} tests/rules"

Then 'saas-app provision' writes the permissions to Logto.""")


def next_steps(names: FeatureNames) -> str:
    """Return the steps, with the feature's own names in them."""
    return Template(_STEPS.said).substitute(names.as_words())
