"""What the server imports: the application for the settings in the environment."""

import os

from saas_app.app import create_app
from saas_app.config import load_settings
from saas_app.identity.sign_in_methods.declaration import find_declaration, offered_methods
from saas_app.observability import configure_logging

settings = load_settings()
configure_logging(settings.log_format)
app = create_app(settings, offered_methods(find_declaration(os.environ)))
