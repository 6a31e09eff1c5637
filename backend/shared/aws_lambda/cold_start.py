"""What a cold start can leave for later; every handler of a function imports inside it.

Measured in docs/benchmarks.md: together a quarter of a cold start's CPU.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def cold_start() -> Iterator[None]:
    """Import FastAPI and the block's modules, and make what the block makes, for less.

    FastAPI's own models, which only `/openapi.json` uses, are built when that is first asked for.
    What is made here stays for good, so the garbage collector looks at none of it, now or later.
    """
    gc.disable()
    try:
        with _models_built_on_first_use():
            import fastapi  # noqa: F401 - its models are what is put off
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def _models_built_on_first_use() -> Iterator[None]:
    """Put off the building of the Pydantic models that are defined within.

    https://docs.pydantic.dev/latest/api/config/#pydantic.config.ConfigDict.defer_build
    """
    from pydantic import BaseModel

    rebuild = vars(BaseModel)["model_rebuild"]

    def rebuild_on_first_use(cls: type[BaseModel], /, **options: Any) -> bool | None:
        # A module that calls it bare wants its forward references resolved now; on first use
        # Pydantic itself calls it, with options, and resolves them then.
        return rebuild.__func__(cls, **options) if options else None

    BaseModel.model_config["defer_build"] = True
    BaseModel.model_rebuild = classmethod(rebuild_on_first_use)  # type: ignore[assignment, method-assign]
    try:
        yield
    finally:
        BaseModel.model_rebuild = rebuild  # type: ignore[method-assign]
        del BaseModel.model_config["defer_build"]
