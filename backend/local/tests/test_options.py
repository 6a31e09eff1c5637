"""The command line."""

from pathlib import Path

import pytest

from local.options import Options, parse


def test_without_arguments_the_gateway_is_on_port_8080() -> None:
    assert parse([]) == (Options(port=8080), [])


def test_a_demonstration_needs_no_port_to_be_free() -> None:
    assert parse(["--demo"]) == (Options(port=0, demo=True), [])
    assert parse(["--demo", "--port", "8081"]) == (Options(port=8081, demo=True), [])


def test_every_option_is_read() -> None:
    given = parse(
        [
            *("--port", "0", "--env-file", "e", "--packages", "dist"),
            *("--cold", "--demo", "--bedrock", "aws", "--terraform"),
        ]
    )
    expected = Options(
        0, Path("e"), Path("dist"), "aws", demo=True, cold=True, terraform=True, tracing=None
    )
    assert given == (expected, [])


def test_variables_of_terraform_are_given_as_to_terraform() -> None:
    given, wrong = parse(["--terraform", "--var", "a=b=c", "--var", "quota={}", "--tracing", "udp"])
    assert (given.terraform_variables, given.tracing, wrong) == (
        (("a", "b=c"), ("quota", "{}")),
        "udp",
        [],
    )


def test_a_layer_with_its_wrapper_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "otel-instrument").touch()
    given = parse(["--tracing", "auto", "--layer", str(tmp_path)])
    assert given == (Options(tracing="auto", layer=tmp_path), [])


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000", "http://localhost:9/v1", "https://model.example"]
)
def test_a_server_that_speaks_bedrocks_wire_format_is_accepted(url: str) -> None:
    assert parse(["--bedrock", url]) == (Options(bedrock=url), [])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "70000"], "--port: '70000' is not a port"),
        (["--port", "abc"], "--port: 'abc' is not a port"),
        (["--port", "-1"], "--port: '-1' is not a port"),
        (["--port", "9" * 5000], "is not a port"),
        (["--port"], "--port: '' is not a port"),
        (["--env-file"], "--env-file: a path is missing"),
        (["--reload", "--packages", "dist"], "choose one"),
        (["--bedrock", "other"], "--bedrock: 'other' is not one of local, aws, and no URL"),
        (["--bedrock", "ftp://127.0.0.1:9"], "is not one of local, aws, and no URL"),
        (["--bedrock", "http://127.0.0.1:x"], "is not one of local, aws, and no URL"),
        (["--bedrock", "http://model.example"], "use https, or a server on this machine"),
        (["--bedrock", "https://user:pw@model.example"], "more than scheme, host, port and path"),
        (["--bedrock", "https://model.example?key=1"], "more than scheme, host, port and path"),
        (["--tracing", "none"], "--tracing: 'none' is not one of sdk, auto, udp, off"),
        (["--tracing", "auto"], "--tracing auto and --layer go together"),
        (["--layer", "."], "--tracing auto and --layer go together"),
        (["--tracing", "auto", "--layer", "/nowhere"], "--layer: /nowhere has no otel-instrument"),
        (["--terraform", "--layer", "/nowhere"], "--layer: /nowhere has no otel-instrument"),
        (["--var", "a=b"], "--var goes with --terraform"),
        (["--terraform", "--var", "a"], "--var: 'a' is not NAME=VALUE"),
        (["--terraform", "--var", "a=1", "--var", "a"], "--var: 'a' is not NAME=VALUE"),
        (["--terraform", "--var", "a b=c"], "--var: 'a b=c' is not NAME=VALUE"),
        (["--terraform", "--var"], "expected one argument"),
        (["--users", "--terraform"], "--users goes with neither --terraform nor --demo"),
        (["--iam", "on"], "--iam: 'on' is not one of off, warn, enforce"),
        (["--iam", "warn"], "--iam goes with --terraform"),
        (["--iam", "warn", "--terraform", "--bedrock", "aws"], "--iam goes with --bedrock local"),
        (["--nonsense"], "unknown arguments: --nonsense"),
        (["--demo=1"], "ignored explicit argument '1'"),
    ],
)
def test_a_wrong_option_is_one_line_with_the_reason(arguments: list[str], message: str) -> None:
    _, [line] = parse(arguments)
    assert message in line
    assert "\n" not in line


def test_all_wrong_options_are_named_at_once() -> None:
    _, wrong = parse(
        ["--port", "abc", "--bedrock", "x", "--tracing", "y", "--nonsense", "--env-file"]
    )
    assert [line.partition(":")[0] for line in wrong] == [
        "unknown arguments",
        "--port",
        "--bedrock",
        "--tracing",
        "--env-file",
    ]


def test_help_ends_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(["--help"])
    assert caught.value.code == 0
    assert "--env-file" in capsys.readouterr().out
