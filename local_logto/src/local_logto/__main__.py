"""``python -m local_logto``: the same commands as ``local-logto``."""

import gc

gc.disable()  # modules stay, so looking for garbage among them costs time for nothing
from local_logto.cli import main  # noqa: E402

gc.freeze()
gc.enable()
main()
