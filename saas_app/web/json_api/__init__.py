"""The shared parts of the JSON API: models, bodies, paging, preconditions, idempotency, schema.

A feature's ``api.py`` calls the same services as its ``pages.py``, behind the same guards.
"""

from saas_app.web.json_api.idempotency import repeatable
from saas_app.web.json_api.models import (
    WHOLE,
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
    accepts_if_match,
    etag,
    etag_of,
    matches,
    require_match,
    requires_if_match,
)
from saas_app.web.json_api.responses import ApiResponse, answers, sends
from saas_app.web.json_api.validation import validate_querystring, validate_request, validate_response

__all__ = [
    "WHOLE",
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
    "accepts_if_match",
    "answers",
    "etag",
    "etag_of",
    "list_response",
    "matches",
    "repeatable",
    "require_match",
    "requires_if_match",
    "sends",
    "unchanged",
    "validate_querystring",
    "validate_request",
    "validate_response",
]
