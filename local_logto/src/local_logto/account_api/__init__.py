"""The Account API of Logto 1.42, as far as a product edits profiles: ``/api/my-account``, name and picture.

``access`` finds the person of a request, and ``profile`` has the routes. Everything that needs a verification
record is absent, and so are its routes.
"""

from local_logto.account_api.profile import blueprint

__all__ = ["blueprint"]
