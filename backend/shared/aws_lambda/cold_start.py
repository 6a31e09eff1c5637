"""Work that a cold start can skip; every function's handler does its imports inside this block.

It saves a quarter of a cold start's CPU (docs/benchmarks.md).
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def cold_start() -> Iterator[None]:
    """Import FastAPI and run the block, with less CPU.

    FastAPI's own models, which only `/openapi.json` uses, are built at its first request. Objects
    that the block creates live as long as the process, so the garbage collector ignores them.
    """
    gc.disable()
    try:
        with _models_built_on_first_use():
            import fastapi  # noqa: F401 - imported for its models
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def _models_built_on_first_use() -> Iterator[None]:
    """Build the Pydantic models that are defined within the block at their first use.

    https://docs.pydantic.dev/latest/api/config/#pydantic.config.ConfigDict.defer_build
    """
    from pydantic import BaseModel

    rebuild = vars(BaseModel)["model_rebuild"]

    def rebuild_on_first_use(cls: type[BaseModel], /, **options: Any) -> bool | None:
        # FastAPI calls it without options to resolve forward references at once. Pydantic itself
        # calls it with options at a model's first use, which resolves them too.
        return rebuild.__func__(cls, **options) if options else None

    BaseModel.model_config["defer_build"] = True
    BaseModel.model_rebuild = classmethod(rebuild_on_first_use)  # type: ignore[assignment, method-assign]
    try:
        yield
    finally:
        BaseModel.model_rebuild = rebuild  # type: ignore[method-assign]
        del BaseModel.model_config["defer_build"]
