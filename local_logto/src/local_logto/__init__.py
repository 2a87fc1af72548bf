"""A development identity provider that behaves like Logto 1.42 on the wire.

It exists so that the product runs, and is tested, on a machine without a Logto. It is not for
production and says so on every page. It shares no code with the product: they meet over HTTP only.
"""
