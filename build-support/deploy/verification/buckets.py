"""The claim that the lifecycle rules of the environment's buckets are in force."""

from typing import Any

from deploy.checks import CheckFailed
from deploy.verification.claims import NotTried, Trial


def lifecycle_rules_are_in_force(trial: Trial) -> str:
    """Begin an upload below each rule that ends uploads: S3 names the rule that will end it."""
    s3, applied = trial.client("s3"), []
    for bucket in (each["Name"] for each in s3.list_buckets()["Buckets"]):
        if not bucket.startswith(f"{trial.prefix}-"):
            continue
        for rule in _rules(s3, bucket):
            if rule["Status"] == "Enabled" and "AbortIncompleteMultipartUpload" in rule:
                _try(trial, bucket, rule)
                applied.append(f"{rule['ID']} of {bucket}")
    if not applied:
        raise NotTried(f"no bucket of {trial.prefix} has a rule that ends uploads")
    return f"S3 applies {', '.join(applied)}"


def _rules(s3: Any, bucket: str) -> list[dict[str, Any]]:
    try:
        rules: list[dict[str, Any]] = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchLifecycleConfiguration":
            return []
        raise
    return rules


def _try(trial: Trial, bucket: str, rule: dict[str, Any]) -> None:
    s3, prefix = trial.client("s3"), rule.get("Filter", {}).get("Prefix", "")
    key = prefix + trial.new_name()
    with trial.made() as made:
        upload = s3.create_multipart_upload(Bucket=bucket, Key=key)
        made(
            f"upload of {bucket}/{key}",
            lambda: s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload["UploadId"]),
        )
        if upload.get("AbortRuleId") == rule["ID"]:
            return
    if not trial.is_aws:
        raise NotTried(f"{trial.endpoint} is not AWS, and applies no rule to an upload")
    raise CheckFailed(f"S3 does not apply the rule {rule['ID']} of {bucket} to an upload")
