"""Single sign-on: organizations that connect the identity provider of their company."""
