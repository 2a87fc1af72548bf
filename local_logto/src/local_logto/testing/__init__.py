"""Tools for tests of programs that build on Logto: a provider, and the people and organizations in it.

The pytest plugin offers a provider as the fixture ``local_logto``. :func:`running_provider` starts another.
"""

from local_logto.testing.management import ManagementApi
from local_logto.testing.people import Application, Machine, Message, Organization, Person
from local_logto.testing.provider import Provider, running_provider
from local_logto.testing.transport import RequestRefused

__all__ = [
    "Application",
    "Machine",
    "ManagementApi",
    "Message",
    "Organization",
    "Person",
    "Provider",
    "RequestRefused",
    "running_provider",
]
