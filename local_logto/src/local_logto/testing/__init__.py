"""What tests of a program that builds on Logto need: a provider of their own, started as a program."""

from local_logto.testing.provider import Provider, running_provider

__all__ = ["Provider", "running_provider"]
