"""Single sign-on: an organization's own admin connects the identity provider of their company.

Workroom stands between that provider and Logto. Decisions 31 and 32 say what it checks, and why.
"""
