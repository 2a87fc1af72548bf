"""Routes of the JSON API about the caller, and the metadata of the protected resource."""

from quart_schema import Tag

from saas_app.accounts.api import caller, resource_metadata

TAG = Tag("access", description="The caller and their permissions")
blueprints = (caller.blueprint, resource_metadata.blueprint)
