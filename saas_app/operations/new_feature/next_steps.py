"""What is left to do by hand after the skeleton was written, in order: six files, then four commands."""

from __future__ import annotations

from string import Template
from typing import Final

from saas_app.operations.new_feature.names import FeatureNames
from saas_app.text.translation import _

_INTRODUCTION: Final = _("The next steps, with the numbers of docs/add-a-feature.md:")
_STEPS: Final = Template("""\
 2. saas_app/rbac/permissions.py: ${add_permissions}
        ${MANY}_READ = ("${slug}:read", _("View ${many_words}"), Carrier.API_TOKEN)
        ${MANY}_WRITE = ("${slug}:write", _("Add ${many_words}"), Carrier.API_TOKEN)
 3. saas_app/models/__init__.py: ${add_model}
        from saas_app.models.${one} import ${One}
 4. saas_app/audit/recorder.py: ${add_action}
        ${ONE}_ADD = ("${slug_one}.add", _("${One_words} added"))
 5. saas_app/features.py: ${add_feature}
        "${many}",
 6. saas_app/web/navigation.py: ${add_entry}
        MenuEntry("${slug}", _("${Many_words}"), Permission.${MANY}_READ),
 7. make migration NAME="add ${many_words}"
 8. make translations
    translations/es.po: ${translate}
 9. .venv/bin/saas-app permissions --markdown
    .venv/bin/saas-app openapi --write docs/openapi.json
10. make fmt lint
    make test ARGS="tests/integration/${many} tests/rules"
""")
_TOLD: Final = {
    "add_permissions": _("declare the permissions, and assign them to roles in ROLE_PERMISSIONS."),
    "add_model": _("import the model, and add it to __all__."),
    "add_action": _("add the action."),
    "add_feature": _("add the feature, which registers its routes."),
    "add_entry": _("add it to the menu."),
    "translate": _("translate the new texts."),
}
_LAST: Final = _("Then 'saas-app provision' writes the permissions to Logto.")


def next_steps(names: FeatureNames) -> str:
    """Return the steps in the reader's language, with the feature's own names in them."""
    told = {name: sentence.said for name, sentence in _TOLD.items()}
    steps = _STEPS.substitute(told, **names.as_words())
    return f"{_INTRODUCTION.said}\n\n{steps}\n{_LAST.said}"
