"""Uvicorn with bounds: how large and how slow a request may be. Shared by both programs; knows neither."""

from http_server.bounds import Bounds
from http_server.protocol import BoundedHttpProtocol, bounded

__all__ = ["BoundedHttpProtocol", "Bounds", "bounded"]
