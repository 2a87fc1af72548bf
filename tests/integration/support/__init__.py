"""Support access: what an organization allows, and who acts for its members."""
