"""The steps that remain after the skeleton is written: edits in five files, then three commands."""

from __future__ import annotations

from string import Template
from typing import Final

from saas_app.operations.new_feature.names import FeatureNames

_STEPS: Final = Template("""\
Next:

 1. saas_app/rbac/permissions.py: declare the permissions, and assign them to roles in ROLE_PERMISSIONS.
        ${MANY}_READ = ("${slug}:read", "See ${many_words}", Carrier.API_TOKEN)
        ${MANY}_WRITE = ("${slug}:write", "Add ${many_words}", Carrier.API_TOKEN)
 2. saas_app/models/__init__.py: import the model, and add it to __all__.
        from saas_app.models.${one} import ${One}
 3. saas_app/audit/recorder.py: add the action.
        ${ONE}_ADD = ("${slug_one}.add", "${One_words} added")
 4. saas_app/features.py: add the feature.
        "${many}",
 5. saas_app/web/navigation.py: add it to the menu.
        Feature("${slug}", "${Many_words}", Permission.${MANY}_READ),
 6. make migration NAME="${many_words}"
 7. .venv/bin/saas-app permissions --markdown
    .venv/bin/saas-app openapi --write docs/openapi.json
 8. make fmt lint
    make test ARGS="tests/integration/${many} tests/rules"

Then 'saas-app provision' writes the permissions to Logto. docs/add-a-feature.md explains each step.""")


def next_steps(names: FeatureNames) -> str:
    """Return the steps, with the names of the feature."""
    return _STEPS.substitute(names.as_words())
