"""Single sign-on: an organization's own admin connects the identity provider of their company.

Logto signs people in there. Decision 31 says what Workroom checks itself, and why.
"""
