"""The TCP ports on which a process and its descendants listen."""

import ipaddress
import os
import shutil
import subprocess
from pathlib import Path

_LISTENING = "0A"  # the kernel's TCP_LISTEN


def listening(root_pid: int) -> set[tuple[str, int]]:
    """(address, port) of every listening TCP socket of `root_pid` and its descendants."""
    pids = _descendants(root_pid)
    return _from_proc(pids) if Path("/proc/net/tcp").exists() else _from_lsof(pids)


def _descendants(root_pid: int) -> set[int]:
    rows = [
        tuple(map(int, line.split()))
        for line in _output("ps", "-A", "-o", "pid=,ppid=").splitlines()
    ]
    found, new = {root_pid}, {root_pid}
    while new:
        new = {pid for pid, parent in rows if parent in new} - found
        found |= new
    return found


def _from_proc(pids: set[int]) -> set[tuple[str, int]]:
    sockets = set()
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            try:
                sockets.add(os.readlink(descriptor))  # socket:[INODE]
            except FileNotFoundError:
                continue  # closed meanwhile
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        path = Path(table)
        for line in path.read_text().splitlines()[1:] if path.exists() else ():
            _, local, _, state, *rest = line.split()
            if state == _LISTENING and f"socket:[{rest[5]}]" in sockets:
                address, port = local.split(":")
                found.add((_address(address), int(port, 16)))
    return found


def _address(hexadecimal: str) -> str:
    # Groups of 32 bits, each in the byte order of the (little-endian) machine.
    groups = [bytes.fromhex(hexadecimal[at : at + 8])[::-1] for at in range(0, len(hexadecimal), 8)]
    address = ipaddress.ip_address(b"".join(groups))
    # gRPC listens on IPv4 through an IPv6 socket.
    return str(getattr(address, "ipv4_mapped", None) or address)


def _from_lsof(pids: set[int]) -> set[tuple[str, int]]:
    chosen = ",".join(map(str, pids))
    lines = _output("lsof", "-nP", "-a", "-iTCP", "-sTCP:LISTEN", "-p", chosen, "-Fn").splitlines()
    names = [line[1:].rpartition(":") for line in lines if line.startswith("n")]
    return {(address, int(port)) for address, _, port in names}


def _output(program: str, *arguments: str) -> str:
    path = shutil.which(program)
    assert path, f"{program} is needed to find the listening ports"
    return subprocess.run([path, *arguments], capture_output=True, text=True, check=True).stdout
