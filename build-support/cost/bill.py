"""The bill of a month: what each part costs, by formula."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cost.prices import Prices
from cost.usage import Question, traces

type Platform = Literal["apprunner", "lambda"]
type Profile = Literal["geographic", "global"]

_HOURS = 730
_MINUTES = 43_200


@dataclass(frozen=True)
class Line:
    """One line of a bill: the part, how its cost is calculated, and the dollars of a month."""

    part: str
    formula: str
    usd: float


def per_volume(
    prices: Prices, requests: int, question: Question, sample_percent: float, profile: Profile
) -> Iterator[Line]:
    """Yield the lines that grow with the number of questions."""
    million = requests / 1e6
    calls = million * question.calls
    log_gb = requests * question.log_kb / 1e6
    seconds = requests * question.gb_seconds
    sampled = traces(requests, sample_percent) / 1e6

    def price(name: str, units: float) -> float:
        return prices[name].of(units)

    yield Line(
        "gateway calls", f"{question.calls} a question", price("gateway_calls_million", calls)
    )
    yield Line(
        "Lambda requests", f"{question.calls} a question", price("lambda_requests_million", calls)
    )
    gb_seconds = f"{question.gb_seconds:.2f} GB-s a question"
    yield Line("Lambda duration", gb_seconds, price("lambda_gb_second", seconds))
    logs = f"{question.log_kb:g} KB a question, {prices['logs_gb'].free:g} GB free"
    yield Line("logs", logs, price("logs_gb", log_gb))
    yield Line("log data protection", "each GB of logs", price("log_protection_gb", log_gb))
    free = f"{prices['traces_million'].free * 1e6:,.0f} free"
    sampling = f"the first of each second and {sample_percent:g} % of the rest, {free}"
    yield Line("X-Ray", sampling, price("traces_million", sampled))
    tokens = million * question.embedding_tokens
    embedding = f"{question.embedding_tokens} tokens a question"
    yield Line("embeddings", embedding, price("embedding_tokens_million", tokens))
    yield Line("S3 reads", "the manifest by its ETag", price("s3_gets_million", million))
    writes = question.conversation_writes
    conversations = price("dynamodb_writes_million", million * writes)
    yield Line("conversations", f"{writes} write units a turn", conversations)
    records = (
        price("s3_puts_million", million)
        + price("dynamodb_reads_million", million * question.record_key_reads)
        + price("s3_gets_million", million)
    )
    reads = f"a PUT, {question.record_key_reads} keys, the sealing function's GET"
    yield Line("records", reads, records)
    yield _model(prices, million, question, profile)


def _model(prices: Prices, million: float, question: Question, profile: Profile) -> Line:
    usd = prices["model_input_tokens_million"].of(million * question.input_tokens)
    usd += prices["model_output_tokens_million"].of(million * question.output_tokens)
    formula = f"{question.input_tokens} tokens in, {question.output_tokens} out"
    if profile == "geographic":
        surcharge = prices["geographic_profile_surcharge_percent"].usd
        return Line(
            "model",
            f"{formula}, {surcharge:g} % for the geographic profile",
            usd * (1 + surcharge / 100),
        )
    return Line("model", formula, usd)


def fixed(prices: Prices, platform: Platform) -> Iterator[Line]:
    """Yield the lines of dev that cost the same without a single question."""
    on_app_runner = platform == "apprunner"
    secrets, alarms = (7, 19) if on_app_runner else (6, 20)
    metrics = 25 if on_app_runner else 26

    def many(part: str, count: int, what: str, name: str) -> Line:
        unit = prices[name].usd
        return Line(part, f"{count} {what} x ${unit:.2f}", count * unit)

    yield many("secrets", secrets, "API keys and origin", "secret_month")
    reads = prices["secret_calls_million"].of(0.01)
    yield Line("reads of secrets", "about 10,000", reads)
    if on_app_runner:
        usd = prices["app_runner_gb_hour"].usd
        yield Line("App Runner, kept warm", f"2 GB x {_HOURS} h x ${usd:g}", 2 * _HOURS * usd)
        # App Runner rounds up to seconds: each of the clock's calls is one.
        hours, usd = _MINUTES / 3600, prices["app_runner_vcpu_hour"].usd
        work = f"the clock's {hours:g} h x 1 vCPU x ${usd:g}"
        yield Line("App Runner, at work", work, hours * usd)
    clock = prices["lambda_gb_second"].of(_MINUTES * 0.1 * 0.5)
    clock += prices["lambda_requests_million"].of(_MINUTES / 1e6)
    clock += prices["gateway_calls_million"].of(_MINUTES / 1e6)
    calls = f"{_MINUTES:,} invocations of 100 ms, and as many gateway calls"
    yield Line("the jobs' clock", calls, clock)
    yield many("alarms", alarms, "alarms", "alarm_month")
    yield many("metrics in log lines", metrics, "metrics", "metric_month")
    yield many("the gateway's detailed metrics", 40, "metrics", "metric_month")
    if on_app_runner:
        yield many("ECR", 2, "GB", "ecr_gb_month")
    yield many("S3", 1, "GB", "s3_gb_month")


def network(prices: Prices, zones: int, endpoints: int) -> Iterator[Line]:
    """Yield the fixed lines of a network for `vpc_config`."""
    nat, gigabyte = prices["nat_gateway_hour"].usd, prices["nat_gateway_gb"].usd
    yield Line(
        "NAT gateways",
        f"{zones} x {_HOURS} h x ${nat:g}, and ${gigabyte:g} a GB",
        zones * _HOURS * nat,
    )
    endpoint = prices["endpoint_hour"].usd
    yield Line(
        "interface endpoints",
        f"{endpoints} in {zones} zones x {_HOURS} h x ${endpoint:g}, $0.01 a GB",
        zones * endpoints * _HOURS * endpoint,
    )
    yield Line("gateway endpoints of S3 and DynamoDB", "free", 0.0)
