"""Text of others (models, file names, addresses) made fit to be shown: it moves no cursor and tells no secret."""

from __future__ import annotations

import re
import unicodedata

# Other: control, format (bidi overrides too), surrogate, private, unassigned; line and paragraph separators.
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_LONGEST = 2000  # characters of one name; a class name can be a megabyte
_SAFE_STEM = re.compile(r"[^A-Za-z0-9.-]+")


def printable(text: str) -> str:
    """`escaped`, cut where it is longer than 2000 characters."""
    return escaped(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...")


def escaped(text: str) -> str:
    r"""Replaces what a terminal would obey or hide by its code, such as \x1b."""
    return text if text.isprintable() else "".join(map(_seen, text))


def without_secrets(address: str) -> str:
    """`rtsp://user:secret@host/live?token=x` as it may be shown: `rtsp://host/live`.

    Everything before the last @ goes, since passwords hold / and @ unescaped, and everything from ? or # on. Where an @
    behind the ? leaves open which of the two it ends, nothing is shown that could be either.
    """
    scheme, mark, rest = address.partition("://")
    if not mark:
        return address
    head, *tail = re.split(r"[?#;]", rest, maxsplit=1)
    if "@" in "".join(tail) and (":" in head or "@" in head or "/" not in head):
        head = "..."
    return f"{scheme}://{head.rpartition('@')[2]}"


def address_stem(address: str) -> str:
    """A file's stem for an address, without its secrets: `host_live_1` of `rtsp://user:secret@host:554/live/1.sdp`."""
    host, slash, path = without_secrets(address).partition("://")[2].partition("/")
    host = re.sub(r":\d*$", "", host)
    last = path.rpartition("/")[2]
    if "." in last.lstrip("."):
        path = path[: path.rfind(".")]
    return _SAFE_STEM.sub("_", f"{host}{slash}{path}").strip("_.") or "stream"


def _seen(character: str) -> str:
    if unicodedata.category(character) not in _UNSEEN:
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
