"""Watches the sources and services.json, and reloads the services that have changed."""

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from watchfiles import Change, awatch

from local.blueprint import SERVICES
from services.declared import DeclarationError, declaration


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


async def declared_changes(file: Path, report: Callable[[str], None]) -> AsyncIterator[set[str]]:
    """Yield the services whose operations or scopes have changed, after each save of `file`."""
    known = _scopes(file)
    # The folder: an editor may replace the file by another.
    async for _ in awatch(file.parent, watch_filter=_is(file), recursive=False, debounce=400):
        try:
            found = _scopes(file)
        except DeclarationError as error:
            report(f"the old declarations stay: {error}")
            continue
        changed = {service for service in found if found[service] != known.get(service)}
        known = found
        if changed:
            yield changed


def _scopes(file: Path) -> dict[str, Any]:
    declared = declaration(file)
    return {name: declared.key_scopes(name) for name in SERVICES if name in declared.services}


async def reload_on_change(
    backend: Path,
    declarations: Path,
    reload: Callable[[str], Awaitable[None]],
    report: Callable[[str], None],
) -> None:
    """Reload changed services until cancelled; keep the old code if the new does not start.

    Args:
        backend: The folder of the sources.
        declarations: services.json.
        reload: Reloads one service, with its code and declaration of now.
        report: Receives a line for each service.
    """
    one_at_a_time = asyncio.Lock()

    async def reload_one(service: str) -> None:
        try:
            await reload(service)
        except Exception as error:  # noqa: BLE001 - whatever it is, the estate keeps running
            report(f"{service}: the new code does not start, the old keeps running: {error}")
        else:
            report(f"{service}: reloaded")

    async def follow(found: AsyncIterator[set[str]]) -> None:
        async for services in found:
            async with one_at_a_time:
                await asyncio.gather(*map(reload_one, sorted(services)))

    async with asyncio.TaskGroup() as group:
        group.create_task(follow(changes(backend)))
        group.create_task(follow(declared_changes(declarations, report)))


def _is(file: Path) -> Callable[[Change, str], bool]:
    return lambda change, path: change is not Change.deleted and Path(path).name == file.name


def _is_source(change: Change, path: str) -> bool:
    return change is not Change.deleted and path.endswith(".py")
