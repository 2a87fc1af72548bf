"""A development identity provider that behaves like Logto 1.42 on the wire.

It lets the product run, and be tested, on a machine without Logto. It is not for production and says so on
every page. It shares no code with the product: the two talk over HTTP only.
"""
