"""AWS's runtime client with a guard: Python code can connect only to the given loopback ports.

`-m guarded_runtime TASK PORTS HANDLER`: TASK is the unpacked package, which the guard makes
read-only even for root, as on Lambda; PORTS are the allowed ports of 127.0.0.1, with commas. Each
refusal is also a line on stderr, because the caller may swallow the error. The runtime client's own
calls to AWS_LAMBDA_RUNTIME_API are native code, which an audit hook does not see.
"""

import errno
import os
import runpy
import sys
from typing import Any

_LOOPBACK = "127.0.0.1"
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_CHANGES = frozenset({"os.chmod", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate"})
_LOOKUPS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
_SENDING = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_STARTING = frozenset({"os.exec", "os.posix_spawn", "os.system", "subprocess.Popen"})


class _Guard:
    """An audit hook. A refused call raises the error that it would raise on Lambda."""

    def __init__(self, task: str, ports: set[int]) -> None:
        self._task = task + os.sep
        self._ports = ports

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if flags & _WRITING:
                self._check_write(event, path)
        elif event in _CHANGES:
            self._check_write(event, arguments[0])
        elif event in _SENDING:
            self._check_send(event, arguments[1])
        elif event in _LOOKUPS:
            if arguments[0] not in (_LOOPBACK, _LOOPBACK.encode()):
                self._refuse(event, arguments[0], errno.ENETUNREACH)
        # The runner may start its HTML parser, which is this interpreter without the guard.
        elif event in _STARTING and os.fsdecode(arguments[0]) != sys.executable:
            self._refuse(event, arguments[0], errno.EPERM)

    def _check_send(self, event: str, address: Any) -> None:
        if address is None:  # already connected
            return
        if (
            not isinstance(address, tuple)
            or address[0] != _LOOPBACK
            or address[1] not in self._ports
        ):
            self._refuse(event, address, errno.ENETUNREACH)

    def _check_write(self, event: str, path: Any) -> None:
        if isinstance(path, str | bytes | os.PathLike):
            name = os.path.abspath(os.fsdecode(path))
            if name.startswith(self._task):
                self._refuse(event, name, errno.EROFS)

    def _refuse(self, event: str, what: Any, number: int) -> None:
        os.write(2, f"REFUSED {event} {what!r}\n".encode())
        raise OSError(number, f"{os.strerror(number)}: the guard refuses {event} {what!r}")


def _main() -> None:
    task, ports, handler = sys.argv[1:]
    runtime_port = os.environ["AWS_LAMBDA_RUNTIME_API"].rpartition(":")[2]
    guard = _Guard(task, {int(port) for port in (*ports.split(","), runtime_port)})
    sys.argv = ["awslambdaric", handler]
    sys.addaudithook(guard)
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
