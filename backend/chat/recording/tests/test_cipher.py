"""The encryption of a record's texts."""

import pytest

from chat.recording.cipher import KEY_BYTES, WrongKey, decrypt, encrypt

KEY = bytes(range(KEY_BYTES))


def test_a_text_is_decrypted_with_its_key_at_its_place() -> None:
    data = encrypt(KEY, b"a text", "here")
    assert b"a text" not in data
    assert decrypt(KEY, data, "here") == b"a text"


def test_equal_texts_are_encrypted_differently() -> None:
    assert encrypt(KEY, b"a text", "here") != encrypt(KEY, b"a text", "here")


@pytest.mark.parametrize(
    ("key", "place", "flipped"),
    [(bytes(KEY_BYTES), "here", None), (KEY, "there", None), (KEY, "here", 0), (KEY, "here", -1)],
)
def test_another_key_another_place_or_a_changed_bit_is_refused(
    key: bytes, place: str, flipped: int | None
) -> None:
    data = bytearray(encrypt(KEY, b"a text", "here"))
    if flipped is not None:
        data[flipped] ^= 1
    with pytest.raises(WrongKey):
        decrypt(key, bytes(data), place)


def test_too_little_data_is_refused() -> None:
    with pytest.raises(WrongKey, match="too short"):
        decrypt(KEY, b"short", "here")


def test_the_result_is_standard_aes_gcm() -> None:
    """Another library reads it: nonce, encrypted text, tag, and the place as associated data."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # pants: no-infer-dep

    data = encrypt(KEY, b"a text", "here")
    assert AESGCM(KEY).decrypt(data[:12], data[12:], b"here") == b"a text"
