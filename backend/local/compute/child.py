"""The first code of every child process: it ends with its parent, then runs the service's program.

`python child.py PARENT_PID SYS_PATH MODULE ARGS…` puts the folders of SYS_PATH (may be empty) first
on `sys.path`. Run by path and not with `-m`, because a packaged service must not see `backend/`.
"""

import os
import runpy
import signal
import sys
import threading
import time

_PR_SET_PDEATHSIG = 1


def follow_parent(parent_pid: int) -> None:
    """End this process when the parent ends, even if the parent is killed."""
    # Ctrl-C goes to the whole process group, and the parent stops its children in order. Blocked
    # as well as ignored, because uvicorn installs its own handler later.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(parent_pid,), daemon=True).start()
    if os.getppid() != parent_pid:  # the parent ended before prctl
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
    if module.endswith(".pex"):  # a PEX is a program, not a module
        os.execv(sys.executable, [sys.executable, module, *rest])  # noqa: S606
    if module == "awslambdaric":  # the exec wrapper may have replaced the handler
        rest = [os.environ.get("_HANDLER", *rest)]
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
