"""The `erase-texts` task: removes what is left of deleted and replaced documents, once an hour."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from s3vector.ownership import OwnedStore
from shared.logging import get_logger

TASK: Final = "erase-texts"

_log = get_logger(__name__)


def erasing(store: OwnedStore) -> Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]:
    """Return the task."""

    async def erase(_event: dict[str, Any]) -> dict[str, Any]:
        result = await asyncio.to_thread(store.erase)
        if not result.is_complete:
            _log.warning("erasure_incomplete", detail="The time ended; the next run goes on.")
        return {"changed": result.changed, "complete": result.is_complete}

    return erase
