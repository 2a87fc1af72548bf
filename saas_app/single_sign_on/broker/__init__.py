"""The broker: Workroom stands between Logto and the identity providers of companies.

To a company's provider, it is an OpenID Connect client that checks what the provider says. To Logto, it is an
OpenID provider that asserts nothing but verified addresses at a company's own domains.
"""
