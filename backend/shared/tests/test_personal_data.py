"""Valid personal numbers are masked however they are written; every other number stays."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.personal_data import mask

SEPARATORS = st.sampled_from(["", " ", "-", "\u00a0", "\u2011"])
DIGITS = st.text("0123456789", min_size=1, max_size=40)
# Published examples of the bodies that issue these numbers.
IBANS = (
    "GB29NWBK60161331926819",
    "DE89370400440532013000",
    "FR1420041010050500013M02606",
    "NO9386011117947",
    "MT84MALT011000012345MTLCAST001S",
    "BE68539007547034",
)


def luhn_digit(body: str) -> str:
    """Return the check digit: Luhn's table of doubled digits, from the right."""
    doubled = "0246813579"
    total = sum(
        int(doubled[int(digit)] if place % 2 == 0 else digit)
        for place, digit in enumerate(reversed(body))
    )
    return str(-total % 10)


@st.composite
def cards(draw: st.DrawFn) -> str:
    """A card number of one of the great issuers."""
    prefix, length = draw(
        st.sampled_from(
            [("4", 16), ("55", 16), ("2221", 16), ("6011", 16), ("34", 15), ("3528", 16)]
        )
    )
    body = prefix + draw(
        st.text("0123456789", min_size=length - 1 - len(prefix), max_size=length - 1 - len(prefix))
    )
    return body + luhn_digit(body)


def grouped(number: str, separator: str) -> str:
    sizes = (4, 6, 5) if len(number) == 15 and number.isdigit() else (4,) * 8
    parts, rest = [], number
    for size in sizes:
        parts.append(rest[:size])
        rest = rest[size:]
    return separator.join(filter(None, parts))


@given(cards(), SEPARATORS)
def test_every_valid_card_number_is_masked(number: str, separator: str) -> None:
    written = grouped(number, separator)
    assert mask(f"My card is {written}, expiry 12/27.") == "My card is [card number], expiry 12/27."
    # The code behind a card: one with which it is not by chance a valid number of 19 digits.
    code = next(one for one in ("123", "124") if luhn_digit(f"{number}12") != one[-1])
    assert mask(f"({written} {code})") == f"([card number] {code})"


@given(cards(), SEPARATORS, st.integers(1, 9))
def test_a_card_number_with_a_wrong_check_digit_stays(
    number: str, separator: str, wrong: int
) -> None:
    written = grouped(number[:-1] + str((int(number[-1]) + wrong) % 10), separator)
    assert mask(f"Number {written}.") == f"Number {written}."


@given(st.sampled_from(IBANS), SEPARATORS, st.booleans())
def test_every_valid_iban_is_masked(number: str, separator: str, lower: bool) -> None:
    written = grouped(number.lower() if lower else number, separator)
    assert mask(f"Pay to {written} today") == "Pay to [IBAN] today"


@given(st.sampled_from(IBANS), st.data(), SEPARATORS)
def test_an_iban_with_one_changed_digit_stays(
    number: str, data: st.DataObject, separator: str
) -> None:
    place = data.draw(st.sampled_from([n for n, one in enumerate(number) if one.isdigit()]))
    other = data.draw(st.sampled_from(string.digits.replace(number[place], "")))
    written = grouped(number[:place] + other + number[place + 1 :], separator)
    assert "[IBAN]" not in mask(written)


@pytest.mark.parametrize(
    ("written", "masked"),
    [
        ("SSN 078-05-1120", "SSN [social security number]"),
        ("ITIN 912 70 1234", "ITIN [social security number]"),
        ("NINO AB 12 34 56 C!", "NINO [national insurance number]!"),
        ("ab123456c", "[national insurance number]"),
        ("DNI 12345678Z", "DNI [national id]"),
        ("NIE X-1234567-L", "NIE [national id]"),
        ("NIR 1 85 05 78 006 084 91", "NIR [national id]"),
        ("codice RSSMRA85T10A562S", "codice [national id]"),
        ("PESEL 44051401359", "PESEL [national id]"),
        ("CPF 529.982.247-25", "CPF [national id]"),
        ("1234 4111 1111 1111 1111", "1234 [card number]"),
        ("4111111111111111 and 5555555555554444", "[card number] and [card number]"),
        ("XX12 3456 7890 1234 GB29NWBK60161331926819", "XX12 3456 7890 1234 [IBAN]"),
    ],
)
def test_national_ids_and_several_numbers_in_a_row(written: str, masked: str) -> None:
    assert mask(written) == masked


@pytest.mark.parametrize(
    "text",
    [
        "A house of $4,111,111 or $4111111111111111",
        "4111111111111111.50",
        "between 2019 2020 2021 2022",
        "call +1 202-555-0123, +44 20 7946 0958 or 442079460958",
        "2026-11-28T13:47:48.123Z",
        "order 123-078-05-1120-7",
        "000-12-3456, 666-12-3456, 123-00-4567, 912-12-1234",
        "GB 12 34 56 C and DQ123456C",
        "12345678A, X1234567A, RSSMRA85T10A562T, 44051401358, 44053401359, 529.982.247-24",
        "529.982.247-26, 111.111.111-11, 1 85 05 78 006 084 90",
        "550e8400-e29b-41d4-a716-446655440000",
        "arn:aws:s3:::bucket-123456789012",
        "\u0664\u0661\u0661\u0661 no digits of ASCII \u0661\u0661\u0661\u0661\u0661\u0661",
        "",
    ],
)
def test_figures_dates_phone_numbers_and_invalid_numbers_stay(text: str) -> None:
    assert mask(text) == text


@given(DIGITS.filter(lambda digits: len(digits) < 11))
def test_a_short_number_stays(digits: str) -> None:
    assert mask(f"${digits} or {digits}") == f"${digits} or {digits}"


@given(st.text(st.sampled_from("0123456789AB -.,$€/%X\u00a0abc"), max_size=120))
def test_a_masked_text_stays_as_it_is(text: str) -> None:
    masked = mask(text)
    assert mask(masked) == masked
