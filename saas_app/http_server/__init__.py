"""Uvicorn with bounds: how large and how slow a request may be. Knows nothing of the application."""

from saas_app.http_server.bounds import Bounds
from saas_app.http_server.protocol import BoundedHttpProtocol, bounded

__all__ = ["BoundedHttpProtocol", "Bounds", "bounded"]
