"""``python -m local_logto``: the same commands as ``local-logto``."""

from local_logto.cli import main

main()
