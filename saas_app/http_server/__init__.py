"""Uvicorn with limits on the size and the duration of requests. Independent of the application.

:mod:`saas_app.http_server.protocol` imports Uvicorn. This package does not, because the application asks it
whether the server is draining, and runs in any server.
"""

from saas_app.http_server.bounds import Bounds
from saas_app.http_server.draining import begin_draining, is_draining

__all__ = ["Bounds", "begin_draining", "is_draining"]
