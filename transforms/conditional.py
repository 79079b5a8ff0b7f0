"""Objects that are written only if nobody else has written them since they were read.

Google Cloud Storage and S3 decide that themselves
(https://cloud.google.com/storage/docs/request-preconditions,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html). Other stores are
asked before and after: there, two writers at the same moment may both believe that they were first.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from apache_beam.io.filesystems import FileSystems

from transforms import storage


@dataclass(frozen=True)
class Version:
    """An object as it was read or written.

    Attributes:
        data: its contents.
        tag: distinguishes it from every earlier and later version.
    """

    data: bytes
    tag: str


def read_version(path: str) -> Version | None:
    """Reads an object with its version, or returns None when it is not there."""
    scheme = FileSystems.get_scheme(path)
    if scheme == "gs":
        return _read_google(path)
    if scheme == "s3":
        return _read_amazon(path)
    data = storage.read_if_there(path)
    return None if data is None else Version(data, _checksum(data))


def write_version(path: str, data: bytes, expected: Version | None) -> Version | None:
    """Writes a small object if it still is as expected.

    Args:
        path: the object.
        data: its new contents, which differ from all before them.
        expected: the version that must be there; None for none.

    Returns:
        The new version, or None when something else stood there; then nothing is changed.
    """
    scheme = FileSystems.get_scheme(path)
    if scheme == "gs":
        return _write_google(path, data, expected)
    if scheme == "s3":
        return _write_amazon(path, data, expected)
    return _write_anywhere(path, data, expected)


def _write_anywhere(path: str, data: bytes, expected: Version | None) -> Version | None:
    found = read_version(path)
    if (found and found.data) != (expected and expected.data):
        return None
    # An object appears whole; a temporary one would only be left behind by a run that is killed.
    with FileSystems.create(path, compression_type=storage.RAW) as file:
        file.write(data)
    written = read_version(path)  # Of two concurrent writers, the last one wins.
    return written if written is not None and written.data == data else None


def _google_blob(path: str) -> Any:
    from apache_beam.io.gcp import gcsio

    # Beam's own client, with its credentials, flags and retries.
    files: Any = FileSystems.get_filesystem(path)
    client = files._gcsIO().client
    bucket, name = gcsio.parse_gcs_path(path)
    return client.bucket(bucket).blob(name)


def _read_google(path: str) -> Version | None:
    from google.api_core.exceptions import NotFound

    blob = _google_blob(path)
    try:
        # Asked in this order: contents newer than the generation make a later write fail.
        blob.reload()
        generation = str(blob.generation)
        return Version(blob.download_as_bytes(), generation)
    except NotFound:
        return None


def _write_google(path: str, data: bytes, expected: Version | None) -> Version | None:
    from google.api_core.exceptions import PreconditionFailed

    blob = _google_blob(path)
    generation = 0 if expected is None else int(expected.tag)
    try:
        blob.upload_from_string(data, if_generation_match=generation)
    except PreconditionFailed:
        return _sent_twice(path, data)
    return Version(data, str(blob.generation))


def _amazon_client(path: str) -> tuple[Any, dict[str, str]]:
    from apache_beam.io.aws import s3io

    files: Any = FileSystems.get_filesystem(path)
    store = s3io.S3IO(options=files._options)
    bucket, name = s3io.parse_s3_path(path)
    return store.client.client, {"Bucket": bucket, "Key": name}


def _read_amazon(path: str) -> Version | None:
    client, place = _amazon_client(path)
    try:
        found = client.get_object(**place)
    except client.exceptions.NoSuchKey:
        return None
    return Version(found["Body"].read(), found["ETag"])


def _write_amazon(path: str, data: bytes, expected: Version | None) -> Version | None:
    from botocore.exceptions import ClientError

    client, place = _amazon_client(path)
    condition = {"IfNoneMatch": "*"} if expected is None else {"IfMatch": expected.tag}
    try:
        written = client.put_object(**place, Body=data, **condition)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status == 501:  # A store that speaks S3 and knows no conditions.
            return _write_anywhere(path, data, expected)
        if status in (404, 409, 412):
            return _sent_twice(path, data)
        raise
    return Version(data, written["ETag"])


def _sent_twice(path: str, data: bytes) -> Version | None:
    """The version, if it holds `data`: a request whose response was lost is repeated."""
    found = read_version(path)
    return found if found is not None and found.data == data else None


def _checksum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
