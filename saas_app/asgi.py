"""The module that the server imports: the application, with settings from the environment."""

import os
import sys

from saas_app.app import create_app
from saas_app.config import load_settings
from saas_app.errors import ConfigurationError
from saas_app.observability import take_over_logging
from saas_app.operations.sign_in_methods.declaration import find_declaration, offered_methods
from saas_app.without_rich import structlog

take_over_logging(os.environ.get("LOG_FORMAT", ""))
try:
    app = create_app(load_settings(), offered_methods(find_declaration(os.environ)))
except ConfigurationError as error:
    structlog.get_logger(__name__).error(str(error))
    sys.exit(1)
except Exception:  # noqa: BLE001 - in a worker, nothing else would log it in the configured format
    structlog.get_logger(__name__).exception("the application could not be created")
    sys.exit(1)
