"""What an organization's connector at Logto should be. The row here decides. Pure.

Logto itself makes nobody a member: it would do so before Workroom checks them.
"""

from __future__ import annotations

from collections.abc import Collection

from saas_app.single_sign_on.values import Connection


def wanted_domains(connection: Connection, held: Collection[str]) -> tuple[str, ...]:
    """Return the domains that the connector should have in Logto.

    ``held`` are the domains that the organization has proved by DNS. While the connection is not on, and
    while it has no such domain, nobody is sent to the provider.
    """
    if connection.is_on and (chosen := tuple(name for name in connection.domains if name in held)):
        return chosen
    return (connection.reserved_domain,)
