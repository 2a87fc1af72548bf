"""Uvicorn with limits on the size and the duration of requests. Independent of the application."""

from saas_app.http_server.bounds import Bounds
from saas_app.http_server.protocol import BoundedHttpProtocol, bounded

__all__ = ["BoundedHttpProtocol", "Bounds", "bounded"]
