"""Is everything where it should be? Each check says what it found and which command mends it.

:mod:`.here` looks at what is ours, :mod:`.logto` at what anybody may ask Logto, :mod:`.provisioned` at what
Logto holds for us, through its Management API. Nothing is written anywhere.
"""

from saas_app.operations.doctor.check import Check
from saas_app.operations.doctor.examination import examine

__all__ = ["Check", "examine"]
