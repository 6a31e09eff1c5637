"""Watches the sources and reloads the services whose code has changed."""

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from pathlib import Path

from watchfiles import Change, awatch

from local.blueprint import SERVICES


def services_of(paths: Iterable[Path], backend: Path) -> set[str]:
    """The services to which `paths` belong: all of them for a file of `shared`, none for a test."""
    changed: set[str] = set()
    for path in paths:
        parts = path.relative_to(backend).parts
        if path.suffix != ".py" or "tests" in parts:
            continue
        if parts[0] == "shared":
            changed.update(SERVICES)
        elif parts[0] in SERVICES:
            changed.add(parts[0])
    return changed


async def changes(backend: Path) -> AsyncIterator[set[str]]:
    """Yield the services whose code has changed, after each save."""
    folders = [backend / name for name in ("shared", *SERVICES) if (backend / name).is_dir()]
    async for found in awatch(*folders, watch_filter=_is_source, step=50, debounce=400):
        paths = [Path(path) for _, path in found]
        for path in paths:
            # Python compares bytecode with its source by size and whole seconds, and can miss a
            # second save within one second.
            with suppress(FileNotFoundError):
                Path(importlib.util.cache_from_source(path)).unlink()
        services = services_of(paths, backend)
        if services:
            yield services


async def reload_on_change(
    backend: Path, reload: Callable[[str], Awaitable[None]], report: Callable[[str], None]
) -> None:
    """Reload changed services until cancelled; keep the old code if the new does not start."""

    async def reload_one(service: str) -> None:
        try:
            await reload(service)
        except Exception as error:  # noqa: BLE001 - whatever it is, the estate keeps running
            report(f"{service}: the new code does not start, the old keeps running: {error}")
        else:
            report(f"{service}: reloaded")

    async for services in changes(backend):
        await asyncio.gather(*map(reload_one, sorted(services)))


def _is_source(change: Change, path: str) -> bool:
    return change is not Change.deleted and path.endswith(".py")
