"""The command `view`."""

import contextlib
import tempfile

from pipeline.local import process
from pipeline.viewer.opened import open_set
from pipeline.viewer.request import ViewRequest
from pipeline.viewer.server import Viewer


def run(output: str, request: ViewRequest) -> int:
    """Serves a finished data set until the process is interrupted.

    Args:
        output: its folder, on a disk or an object store.
        request: where to listen.

    Raises:
        SpecError: there is nothing to show, or the port cannot be had.
    """
    # The index of an older set goes there, never into a folder that may be another's.
    cache = tempfile.TemporaryDirectory(prefix="mask-depth-view-", ignore_cleanup_errors=True)
    with (
        cache as folder,
        process.at_end(cache.cleanup),
        Viewer(open_set(output, folder), request.port) as server,
    ):
        print(f"{server.opened.columns.count:,} samples of {server.opened.folder.root}")
        print(f"open  {server.address}  (Ctrl-C ends it)", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
    return 0
