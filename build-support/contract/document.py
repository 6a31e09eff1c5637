"""The OpenAPI document of the front door, as it is published with a release."""

import json
from pathlib import Path
from typing import Any, Final

from api.app import create_app
from api.settings import Settings

REPOSITORY: Final = Path(__file__).resolve().parents[2]
DOCUMENT: Final = REPOSITORY / "docs" / "openapi.json"
RELEASED: Final = REPOSITORY / "docs" / "openapi-released.json"
"""The document of the last release, which changes are compared with."""

VERSION: Final = "1.0.0"
"""The version of the API. A breaking change raises its first number, an addition its second."""

SERVICE: Final = "api"

type Document = dict[str, Any]


def front_door() -> Document:
    """Return the document of the front door at any deployment."""
    settings = Settings(
        project_name="fin-advisor",
        environment="dev",
        service_name=SERVICE,
        service_version=VERSION,
        api_gateway_url="https://gateway.invalid/dev",
        peer_services="chat",
    )
    document = create_app(settings).openapi()
    document["info"]["title"] = "fin-advisor"
    document["servers"] = [
        {
            "url": f"https://{{api_id}}.execute-api.{{region}}.amazonaws.com/{{stage}}/{SERVICE}",
            "description": "A deployment on AWS; Terraform's output api_gateway_url has its URL.",
            "variables": {
                "api_id": {"default": "abcde12345"},
                "region": {"default": "us-east-1"},
                "stage": {"default": "prod"},
            },
        },
        {
            "url": f"http://127.0.0.1:{{port}}/dev/{SERVICE}",
            "description": "The estate on one machine.",
            "variables": {"port": {"default": "8080"}},
        },
    ]
    return document


def read(path: Path) -> Document:
    """Return a document that was written before."""
    document: Document = json.loads(path.read_text(encoding="utf-8"))
    return document


def text_of(content: Any) -> str:
    """Return a generated file's JSON; equal content gives equal text."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
