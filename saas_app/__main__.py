"""``python -m saas_app``: runs ``saas-app``, with a clear message if Python is too old."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - checked before an import fails for that reason
    sys.exit(f"Workroom requires Python 3.11 or newer, and this is {sys.version.split()[0]}. Set PYTHON=…")

from saas_app.cli import main

if __name__ == "__main__":
    main()
