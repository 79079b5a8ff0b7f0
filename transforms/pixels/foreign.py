"""Picture files of formats that are not read: what they are, and how to convert them."""

import os

_ADVICE = {
    "HEIC": "heif-convert IN.heic OUT.png",
    "JPEG XL": "djxl IN.jxl OUT.png",
    "SVG": "rsvg-convert --output=OUT.png IN.svg",
    "EPS or PDF": "pdftoppm -png -r 150 IN.pdf OUT",
    "camera raw": "the camera's own program or darktable-cli IN OUT.png",
    "OpenEXR or Radiance HDR": "an editor that maps its range to 8 bits, as PNG",
}

_EXTENSIONS = {
    ".heic": "HEIC", ".heif": "HEIC", ".hif": "HEIC", ".jxl": "JPEG XL", ".svg": "SVG",
    ".svgz": "SVG", ".eps": "EPS or PDF", ".ps": "EPS or PDF", ".pdf": "EPS or PDF",
    ".ai": "EPS or PDF", ".cr2": "camera raw", ".cr3": "camera raw", ".nef": "camera raw",
    ".arw": "camera raw", ".dng": "camera raw", ".raf": "camera raw", ".orf": "camera raw",
    ".rw2": "camera raw", ".exr": "OpenEXR or Radiance HDR", ".hdr": "OpenEXR or Radiance HDR",
}  # fmt: skip

_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")


def foreign_name(path: str) -> str | None:
    """What a file is by its extension, and how to convert it; None where that is unknown."""
    kind = _EXTENSIONS.get(os.path.splitext(path)[1].lower())
    return _reason(kind) if kind else None


def foreign_kind(data: bytes) -> str | None:
    """What a file is by its first bytes, and how to convert it; None where that is unknown."""
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        return _reason("HEIC")
    if data[:2] == b"\xff\x0a" or data[:12] == b"\0\0\0\x0cJXL \r\n\x87\n":
        return _reason("JPEG XL")
    if start.startswith((b"%!PS", b"%PDF", b"\xc5\xd0\xd3\xc6")):
        return _reason("EPS or PDF")
    if start.startswith(b"<svg") or (start.startswith((b"<?xml", b"<!")) and b"<svg" in start):
        return _reason("SVG")
    if data[:4] == b"\x76\x2f\x31\x01" or data[:10] == b"#?RADIANCE":
        return _reason("OpenEXR or Radiance HDR")
    return None


def _reason(kind: str) -> str:
    return f"{kind} is not supported; convert it to PNG, for example with {_ADVICE[kind]}"
