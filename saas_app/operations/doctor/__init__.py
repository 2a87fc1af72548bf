"""Checks whether an installation works. Each check says what it found and how to fix it. Nothing is changed.

:mod:`.installation` checks Workroom itself, :mod:`.logto` checks Logto without credentials, and
:mod:`.provisioned` uses the Management API to check what ``saas-app provision`` writes.
"""

from saas_app.operations.doctor.check import Check
from saas_app.operations.doctor.examination import examine

__all__ = ["Check", "examine"]
