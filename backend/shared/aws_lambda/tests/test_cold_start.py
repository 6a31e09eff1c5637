"""What a cold start imports. Each test runs a new process, which has imported nothing yet."""

import pytest

from shared.tests.programs import run

_APP = """
from typing import Annotated
from fastapi import APIRouter, FastAPI, Header
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel

class Asked(BaseModel):
    text: str

app = FastAPI()

@app.post("/ask")
def ask(asked: Asked, agent: Annotated[str | None, Header(examples=["curl"])] = None) -> Asked:
    return asked
"""
_COLD = "from shared.aws_lambda.cold_start import cold_start\nwith cold_start(): import fastapi\n"


def _run(program: str) -> str:
    return "\n".join(run(program))


def test_the_description_of_an_application_is_the_same() -> None:
    script = "import json; print(json.dumps(app.openapi(), sort_keys=True))"
    assert _run(_COLD + _APP + script) == _run(_APP + script) != ""


def test_an_application_answers_the_same() -> None:
    script = """
import asyncio
from shared.testing import app_client
async def ask():
    async with app_client(app) as client:
        for body in ({"text": "yes"}, {"text": 1}, {}):
            answer = await client.post("/ask", json=body)
            print(answer.status_code, answer.text)
asyncio.run(ask())
"""
    answers = _run(_COLD + _APP + script)
    assert answers == _run(_APP + script)
    assert [line[:3] for line in answers.splitlines()] == ["200", "422", "422"]


def test_fastapis_own_models_are_built_on_first_use() -> None:
    program = """
from fastapi.openapi.models import OpenAPI, Operation
print(OpenAPI.__pydantic_complete__, Operation.__pydantic_complete__)
print(OpenAPI(openapi="3.1.0", info={"title": "t", "version": "1"}, paths={}).info.title)
print(OpenAPI.__pydantic_complete__)
"""
    assert _run(_COLD + program).split() == ["False", "False", "t", "True"], (
        "Pydantic or FastAPI changed: cold_start.py defers FastAPI's models with the documented "
        "`defer_build` and replaces BaseModel.model_rebuild meanwhile, which is not documented."
    )
    assert _run(program).split() == ["True", "True", "t", "True"]


def test_what_is_defined_in_the_block_is_built_at_once() -> None:
    program = """
from shared.aws_lambda.cold_start import cold_start
with cold_start():
    from pydantic import BaseModel
    class Own(BaseModel):
        text: str
print(Own.__pydantic_complete__, BaseModel.model_config)
"""
    assert _run(program).strip() == "True {}"


@pytest.mark.parametrize("ending", ["pass", "raise SystemExit(0)", "import no_such_module"])
def test_the_collector_runs_again_after_the_block_however_it_ends(ending: str) -> None:
    program = f"""
import atexit, gc
from shared.aws_lambda.cold_start import cold_start
atexit.register(lambda: print(gc.isenabled(), gc.get_freeze_count() > 10_000))
try:
    with cold_start():
        assert not gc.isenabled()
        {ending}
except ImportError:
    pass
"""
    assert _run(program).split() == ["True", "True"]
