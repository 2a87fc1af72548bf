"""Routes of the JSON API about the caller, and the metadata of the protected resource."""
