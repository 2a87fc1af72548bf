"""Pages of members: the list, and the roles of a member."""
