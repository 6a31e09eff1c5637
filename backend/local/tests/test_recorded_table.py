"""docs/gateway-cases.md has the recorded cases."""

from local.tests.recorded_table import PAGE, text


def test_the_page_has_the_cases_of_today() -> None:
    written = PAGE.read_text()
    assert written == text(), "run `./pants run backend/local/tests:recorded_table`"
