"""What every part of the JSON API has in common: models, bodies, paging, preconditions, repetition, schema.

A feature's ``api.py`` stands beside its ``pages.py`` and calls the same service under the same guards.
"""

from saas_app.web.json_api.idempotency import repeatable
from saas_app.web.json_api.models import (
    ApiModel,
    Day,
    Line,
    ListQuery,
    Moment,
    Problem,
    Search,
    Text,
    WholeNumber,
    unchanged,
)
from saas_app.web.json_api.paging import list_response
from saas_app.web.json_api.preconditions import (
    changes_version,
    etag,
    etag_of,
    heeds_version,
    matches,
    require_match,
)
from saas_app.web.json_api.responses import ApiResponse, answers, sends

__all__ = [
    "ApiModel",
    "ApiResponse",
    "Day",
    "Line",
    "ListQuery",
    "Moment",
    "Problem",
    "Search",
    "Text",
    "WholeNumber",
    "answers",
    "changes_version",
    "etag",
    "etag_of",
    "heeds_version",
    "list_response",
    "matches",
    "repeatable",
    "require_match",
    "sends",
    "unchanged",
]
