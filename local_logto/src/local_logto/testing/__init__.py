"""For tests of a program that builds on Logto: a provider of their own, and what a test makes at it.

The pytest plugin gives it as the fixture ``local_logto``; :func:`running_provider` starts another.
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
