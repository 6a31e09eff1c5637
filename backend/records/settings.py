"""The settings of the sealing function."""

from pydantic import Field

from shared.settings import BaseAWSSettings, BaseServiceSettings


class Settings(BaseServiceSettings, BaseAWSSettings):
    """The settings of the sealing function."""

    records_bucket: str = Field(min_length=3, max_length=63)
    """The bucket with records and seals."""
