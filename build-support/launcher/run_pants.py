"""Runs the installed Pants; called by ./pants, with the arguments for Pants.

Pants' client gives its daemon 60 s to start and then ends in a traceback. A slow or busy machine
needs more, and no option sets the limit.
"""

import functools
import sys

# Python put this script's folder on sys.path. Pants watches that path: a change of a file in it would
# restart the daemon.
sys.path.pop(0)

from pants.bin.pants_loader import main
from pants.pantsd.pants_daemon_client import PantsDaemonClient

START_TIMEOUT_SECONDS = 600


def patient(await_metadata):
    @functools.wraps(await_metadata)
    def wait(self, timeout):
        return await_metadata(self, max(timeout, START_TIMEOUT_SECONDS))

    return wait


# Not public API: check both names when requirements.in pins another Pants.
PantsDaemonClient.await_pid = patient(PantsDaemonClient.await_pid)
PantsDaemonClient.await_socket = patient(PantsDaemonClient.await_socket)

if __name__ == "__main__":
    main()
