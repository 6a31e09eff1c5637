"""Values that are hard to log."""


class Unprintable:
    """A value whose `repr` and `str` raise."""

    def __repr__(self) -> str:
        raise RuntimeError("no")

    __str__ = __repr__
