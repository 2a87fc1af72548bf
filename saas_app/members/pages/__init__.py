"""Pages of members: the list, and the roles of a member."""

from saas_app.members.pages import members

blueprint = members.blueprint
