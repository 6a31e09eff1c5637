"""What every child process does first: tie its life to the estate's, then become the program it was
started for.

Run by path, not by `-m`, because a packaged service must not see `backend/`:
`python child.py PARENT_PID SYS_PATH MODULE ARGS…`, where SYS_PATH (may be empty) goes in front of
`sys.path`.
"""

import os
import runpy
import signal
import sys
import threading
import time

_PR_SET_PDEATHSIG = 1


def follow_parent(parent_pid: int) -> None:
    """End this process when the parent ends, however it ends."""
    # Ctrl-C reaches the whole process group. Only the parent acts on it: it stops its children in
    # order, so a child must not see the signal even after its own server (uvicorn) has installed a
    # handler: hence blocked.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(parent_pid,), daemon=True).start()
    if os.getppid() != parent_pid:  # it ended before the signal was armed
        os._exit(1)


def _watch(parent_pid: int) -> None:
    while os.getppid() == parent_pid:
        time.sleep(0.25)
    os._exit(1)


def main(arguments: list[str]) -> None:
    parent_pid, path, module, *rest = arguments
    follow_parent(int(parent_pid))
    if path:
        sys.path[0:0] = path.split(os.pathsep)
    if module.endswith(
        ".pex"
    ):  # it replaces the process by itself anyhow, to choose its interpreter
        os.execv(sys.executable, [sys.executable, module, *rest])  # noqa: S606
    if module == "awslambdaric":  # a wrapper may have put its own in the place of the handler
        rest = [os.environ.get("_HANDLER", *rest)]
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
