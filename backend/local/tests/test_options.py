"""The command line."""

from pathlib import Path

import pytest

from local.options import Options, parse


def test_without_arguments_the_gateway_is_on_port_8080() -> None:
    assert parse([]) == Options(port=8080)


def test_every_option_is_read() -> None:
    given = parse(
        [
            *("--port", "0", "--env-file", "e", "--packages", "dist"),
            *("--cold", "--demo", "--bedrock", "aws", "--terraform"),
        ]
    )
    expected = Options(0, Path("e"), Path("dist"), "aws", demo=True, cold=True, terraform=True)
    assert given == expected


def test_a_layer_is_taken_that_has_a_wrapper(tmp_path: Path) -> None:
    (tmp_path / "otel-instrument").touch()
    given = parse(["--tracing", "auto", "--layer", str(tmp_path)])
    assert given == Options(tracing="auto", layer=tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "70000"], "70000 is not a port"),
        (["--port", "x"], "invalid _port value"),
        (["--reload", "--packages", "dist"], "choose one"),
        (["--bedrock", "other"], "invalid choice"),
        (["--tracing", "auto"], "--tracing auto and --layer go together"),
        (["--layer", "."], "--tracing auto and --layer go together"),
        (["--tracing", "auto", "--layer", "/nowhere"], "--layer: /nowhere has no otel-instrument"),
        (["--nonsense"], "unrecognized arguments"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err
