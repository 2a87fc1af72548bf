"""Search: pages, actions, projects and people of an organization, and the caller's organizations."""
