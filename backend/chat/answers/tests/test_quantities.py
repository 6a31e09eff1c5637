"""Figures of a text, and when a claim's figure agrees with a source's."""

import pytest

from chat.answers.quantities import figures


def says(claim: str, source: str) -> bool:
    """Whether the source proves every figure of the claim."""
    mine, theirs = figures(claim), figures(source)
    assert mine, f"no figure in {claim!r}"
    return all(any(one.agrees_with(other) for other in theirs) for one in mine)


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("costs 1000", "costs 1,000"),
        ("4 %", "4 per cent"),
        ("four percent", "4%"),
        ("$19k", "$19,000"),
        ("19 thousand dollars", "$19,000"),
        ("EUR 2.5 million", "\u20ac2,500,000"),
        ("US$5bn", "5 billion dollars"),
        ("fifty-nine and a half years", "59\u00bd years"),
        ("one hundred and twenty thousand", "120,000"),
        ("28 November 2026", "2026-11-28"),
        ("Nov. 28, 2026", "the 28th of November 2026"),
        ("28/11/2026", "November 28, 2026"),
        ("in November 2026", "on 28 November 2026"),
        ("Q3 2025", "the third quarter of 2025"),
        ("FY2024", "fiscal year 2024"),
        ("3\u20136 months", "three to six months"),
        ("between 36% and 43%", "36 to 43 per cent"),
        ("about 1,900", "1,896"),
        ("roughly $2 million", "$1,960,000"),
        ("over 1,800", "1,896"),
        ("under 20%", "below twenty per cent"),
        ("at least three months", "three months or more"),
        ("no more than 28%", "up to 28 per cent"),
        ("half", "50 per cent"),
        ("a third", "one third"),
        ("a 60/40 portfolio", "60/40"),
        ("30-year mortgage", "thirty years"),
        ("age 45", "retires at 45"),
        ("300 per year", "300 a year"),
        ("-5.2%", "(5.2)%"),
        ("$(1,234)", "minus $1,234"),
        ("$2-3 million", "$2 million to $3 million"),
        ("first year", "the first year"),
        ("at most 45 pounds", "never more than 45 pounds"),
        ("above 325,000 pounds", "above a threshold of 325,000 pounds"),
        ("above $9,000", "above an adjusted income of $9,000"),
        ("between one and five per cent", "one to five per cent"),
        ("0.25 percentage points", "a quarter of a point"),
        ("half a percentage point", "0.5 percentage points"),
        ("more than one year", "more than a year"),
        ("96 million euros and 103 million euros", "to 96 million euros from 103 million"),
        ("ten years", "late ones for seven years, others for up to ten"),
        ("15 business days", "fifteen working days"),
        ("30 calendar days", "thirty days"),
        ("25 euros per security", "25 euros for each security"),
    ],
)
def test_the_same_figure_in_another_form_agrees(claim: str, source: str) -> None:
    assert says(claim, source)


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("12 %", "4 %"),
        ("4 percentage points", "4 per cent"),
        ("4 basis points", "4 percentage points"),
        ("100 basis points", "1 percentage point"),
        ("\u20ac300", "$300"),
        ("$300", "300"),
        ("C$300", "US$300"),
        ("30 months", "30 years"),
        ("300 a month", "300 a year"),
        ("1,900", "1,896"),  # rounding that is not marked
        ("about 1,800", "1,896"),
        ("about 1,890", "1,896"),
        ("over 4 %", "4 %"),
        ("over 20 %", "under 20 %"),
        ("under 4 %", "4 %"),
        ("20 %", "under 20 %"),
        ("at least 28 %", "up to 28 %"),
        ("3 per cent", "3 to 3.5 per cent"),
        ("3 to 4 per cent", "3 to 3.5 per cent"),
        ("3.5 to 3 per cent", "3 to 3.5 per cent"),
        ("below 46 to 43 %", "below 36 to 43 %"),
        ("11/12/2026", "11/12/2026"),  # a day of November or of December
        ("28 November 2026", "November 2026"),
        ("2025", "2024"),
        ("5.2%", "(5.2)%"),
        ("$2 million", "$2 billion"),
        ("first month", "first year"),
        ("50/30/20", "50/20/30"),
        ("twice", "three times"),
        ("7 calendar days", "seven working days"),
        ("25 euros a month", "25 euros for each security"),
    ],
)
def test_another_figure_or_unit_does_not_agree(claim: str, source: str) -> None:
    assert not says(claim, source)


@pytest.mark.parametrize(
    "text",
    [
        "a 401(k) or 403(b)",
        "the 10-K and an 8-K",
        "under \u00a7 1031 and Section 121",
        "the S&P 500",
        "Form 8606",
        "no one of them, one who saves, the one",
        "CO2",
    ],
)
def test_identifiers_and_pronouns_are_no_figures(text: str) -> None:
    assert not figures(text)


def test_both_ends_of_a_range_share_unit_and_scale() -> None:
    low, high = figures("$2-3 million")
    assert (int(low.value), low.unit, low.end_of) == (2_000_000, "USD", "low")
    assert (int(high.value), high.unit, high.end_of) == (3_000_000, "USD", "high")


def test_a_long_run_of_digits_is_bounded() -> None:
    assert not figures("9" * 10_000)
