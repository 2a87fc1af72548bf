"""Routes of the JSON API about the caller, and the metadata of the protected resource."""

from quart_schema import Tag

from saas_app.accounts.api import caller, resource_metadata

TAG = Tag("access", description="Who am I, and what may I do")
blueprints = (caller.blueprint, resource_metadata.blueprint)
