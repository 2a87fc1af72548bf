"""``python -m saas_app``: the same as ``saas-app``, with a clear word to a Python that is too old."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - said before an import fails for that reason
    sys.exit(f"Workroom requires Python 3.11 or newer, and this is {sys.version.split()[0]}. Set PYTHON=…")

from saas_app.cli import main

if __name__ == "__main__":
    main()
