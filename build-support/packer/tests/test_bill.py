"""A bill of materials follows CycloneDX's schema, and equal content gives equal bytes."""

import json

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from bill import Component, bill, debian_packages, python_distribution

METADATA = b"""Metadata-Version: 2.4
Name: Google_Api.Core
Version: 1.0+local
License-Expression: MIT OR Apache-2.0

A description.
Name: other
"""

STATUS = b"""Package: libc6
Status: install ok installed
Architecture: amd64
Version: 1:2.41-12+deb13u1

Package: removed
Status: deinstall ok config-files
Architecture: amd64
Version: 1

"""


def problem(content: bytes) -> object:
    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(content.decode())


def test_a_bill_follows_the_published_schema() -> None:
    components = [
        python_distribution(METADATA),
        python_distribution(b"Name: h11\nVersion: 0.16.0\nLicense: MIT\n"),
        *debian_packages(STATUS),
    ]
    content = bill("api.zip", "application", "0" * 64, components)
    assert problem(content) is None
    assert problem(content.replace(b'"application"', b'"program"')) is not None


def test_a_distribution_is_identified_by_its_normal_name() -> None:
    found = python_distribution(METADATA)
    assert found.purl == "pkg:pypi/google-api-core@1.0%2Blocal"
    assert (found.name, found.version) == ("Google_Api.Core", "1.0+local")
    assert found.document()["licenses"] == [{"expression": "MIT OR Apache-2.0"}]


@pytest.mark.parametrize("text", ["x" * 101, "Line\n  another line"])
def test_the_text_of_a_licence_is_no_name_of_one(text: str) -> None:
    found = python_distribution(f"Name: a\nVersion: 1\nLicense: {text}\n".encode())
    assert "licenses" not in found.document()


def test_only_installed_debian_packages_count() -> None:
    [found] = debian_packages(STATUS)
    assert found.purl == "pkg:deb/debian/libc6@1%3A2.41-12%2Bdeb13u1?arch=amd64"


def test_the_order_of_components_makes_no_difference() -> None:
    one, two = Component("pkg:pypi/a@1", "a", "1"), Component("pkg:pypi/b@1", "b", "1")
    first = bill("api.zip", "application", "0" * 64, [one, two])
    assert bill("api.zip", "application", "0" * 64, [two, one, one]) == first
    assert not {"serialNumber", "timestamp"} & {*json.loads(first), *json.loads(first)["metadata"]}
