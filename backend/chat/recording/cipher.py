"""AES-256-GCM: the encryption of a record's texts.

pycryptodome adds 0.4 MB to the package of `chat`; cryptography would add 5 MB and exceed the
package's limit. It is imported with the first record, after the cold start.
"""

from typing import Final

ALGORITHM: Final = "AES-256-GCM"
KEY_BYTES: Final = 32

_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16


class WrongKey(Exception):
    """The text was encrypted with another key or for another place, or was changed."""


def encrypt(key: bytes, text: bytes, place: str) -> bytes:
    """Return the nonce, the encrypted text and the tag.

    Args:
        key: 32 bytes.
        text: The text.
        place: Where the result is stored. It can be decrypted only as the text of that place.
    """
    from Crypto.Cipher import AES
    from Crypto.Random import get_random_bytes

    nonce = get_random_bytes(_NONCE_BYTES)
    cipher = AES.new(key, AES.MODE_GCM, nonce=nonce, mac_len=_TAG_BYTES)
    cipher.update(place.encode())
    encrypted, tag = cipher.encrypt_and_digest(text)
    return nonce + encrypted + tag


def decrypt(key: bytes, data: bytes, place: str) -> bytes:
    """Return the text.

    Raises:
        WrongKey: The key or the place is wrong, or the data was changed.
    """
    from Crypto.Cipher import AES

    nonce, encrypted = data[:_NONCE_BYTES], data[_NONCE_BYTES:-_TAG_BYTES]
    if len(data) < _NONCE_BYTES + _TAG_BYTES:
        raise WrongKey(f"The encrypted text of {place} is too short.")
    cipher = AES.new(key, AES.MODE_GCM, nonce=nonce, mac_len=_TAG_BYTES)
    cipher.update(place.encode())
    try:
        return bytes(cipher.decrypt_and_verify(encrypted, data[-_TAG_BYTES:]))
    except ValueError:
        raise WrongKey(f"The text of {place} cannot be decrypted with this key.") from None
