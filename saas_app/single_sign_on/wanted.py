"""What an organization's connector at Logto should be. The row here decides. Pure.

Logto itself makes nobody a member: it would do so before Workroom checks them.
"""

from __future__ import annotations

from collections.abc import Collection

from saas_app.single_sign_on.values import Connection


def wanted_domains(connection: Connection, held: Collection[str]) -> tuple[str, ...]:
    """Return the domains that the connector should have in Logto.

    ``held`` are the domains that the organization has proved by DNS. While the connection is not on, there
    are none, and Logto sends nobody to the provider.
    """
    return tuple(name for name in connection.domains if connection.is_on and name in held)
