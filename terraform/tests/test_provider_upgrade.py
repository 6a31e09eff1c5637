"""The files use nothing that version 6 of the AWS provider removed; docs/provider-6.md lists it."""

import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_FILES = sorted(
    path
    for layer in ("terraform", "bootstrap")
    for path in (_ROOT / layer).rglob("*.tf")
    if ".terraform" not in path.parts
)
_BLOCK = re.compile(r'^(resource|data) "(aws_\w+)" "(\w+)" \{\n(.*?)^\}', re.DOTALL | re.MULTILINE)

# Arguments of a block, by its type.
_REMOVED_ARGUMENTS = {
    "aws_api_gateway_account": {"reset_on_delete"},
    "aws_api_gateway_deployment": {"stage_name", "stage_description", "canary_settings"},
    "aws_s3_bucket": {"region"},
}
# Attributes that other blocks may read, as they are written there.
_REMOVED_ATTRIBUTES = (
    r"aws_api_gateway_deployment\.\w+(\[[^]]*\])?\.(invoke_url|execution_arn)\b",
    r"\baws_s3_bucket\.\w+(\[[^]]*\])?\.region\b",
    r"\bdata\.aws_region\.\w+\.name\b",
)


def _problems(text: str) -> list[str]:
    found = [
        f"{kind}.{name} sets {argument}"
        for _, kind, name, body in _BLOCK.findall(text)
        for argument in sorted(_REMOVED_ARGUMENTS.get(kind, ()))
        if re.search(rf"^  {argument}\s*[={{]", body, re.MULTILINE)
    ]
    found += [match[0] for pattern in _REMOVED_ATTRIBUTES for match in re.finditer(pattern, text)]
    return found


def test_no_file_uses_what_version_6_removed() -> None:
    assert {path.parts[-2] for path in _FILES} >= {"terraform", "bootstrap", "lambda-service"}
    found = [f"{path.name}: {one}" for path in _FILES for one in _problems(path.read_text())]
    assert found == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            'resource "aws_api_gateway_deployment" "main" {\n  stage_name = "dev"\n}\n',
            "aws_api_gateway_deployment.main sets stage_name",
        ),
        (
            "url = aws_api_gateway_deployment.main.invoke_url",
            "aws_api_gateway_deployment.main.invoke_url",
        ),
        ("region = aws_s3_bucket.vectors[0].region", "aws_s3_bucket.vectors[0].region"),
        ("region = data.aws_region.current.name", "data.aws_region.current.name"),
    ],
)
def test_a_use_of_what_version_6_removed_is_found(text: str, problem: str) -> None:
    assert _problems(text) == [problem]
