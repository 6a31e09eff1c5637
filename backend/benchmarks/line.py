"""The cost of one log line inside a request, each logger writing to the null device.

Both libraries carry what they carry inside an invocation: request id, trace id, cold start.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Final

from benchmarks.series import Comparison, interleave

LINES: Final = 20_000
_PROGRAMS: Final = {
    "ours": """
from shared.logging import configure_logging, get_logger
configure_logging("INFO", service_name="api", environment="dev")
from shared.logging import request_context
request_context.bind(request_context.RequestContext("c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
                                    "5759e988bd862e3fe1be46a994272793", cold_start=False))
log = get_logger()
def write(): log.info("answered", path="/health", method="GET", status=200, duration=0.0123)
""",
    "powertools": """
from aws_lambda_powertools import Logger
log = Logger(service="api")
class Context:
    function_name = "fin-advisor-dev-api"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:fin-advisor-dev-api"
    aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
log.inject_lambda_context(lambda event, context: None)({}, Context())
def write():
    log.info("answered", path="/health", method="GET", status=200, duration=0.0123)
""",
    "stdlib": """
import json, logging, sys
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
log = logging.getLogger("api")
def write():
    log.info(json.dumps({"event": "answered", "path": "/health", "method": "GET", "status": 200,
                         "duration": 0.0123, "service": "api", "environment": "dev"}))
""",
}
_MEASURE: Final = """
import time
for _ in range(2000): write()
begin = time.process_time()
for _ in range({lines}): write()
import sys
print((time.process_time() - begin) / {lines} * 1e6, file=sys.stderr)
"""


def measure(rounds: int) -> Iterator[Comparison]:
    """Yield the CPU of a line beside Powertools' logger and the standard library's."""

    def cost(program: str) -> float:
        outcome = subprocess.run(  # noqa: S603 - our own interpreter and programs
            [sys.executable, "-c", program + _MEASURE.format(lines=LINES)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=_environment(),
            check=True,
        )
        return float(json.loads(outcome.stderr.decode().splitlines()[-1]))

    yield Comparison(
        "CPU of a log line",
        "µs",
        "ours",
        interleave(
            {name: partial(cost, program) for name, program in _PROGRAMS.items()},
            rounds,
        ),
        {"powertools": 0.20},
    )


def _environment() -> dict[str, str]:
    import os

    # The child needs the same third-party code, and our sources, as this process.
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
