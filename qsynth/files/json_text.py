"""JSON that may be damaged or forged: bounded in depth and numbers, so that what reads on meets no surprise."""

import json
from pathlib import Path
from typing import Any

from qsynth.errors import FileError
from qsynth.files.content import MOST_BYTES, read_content

MOST_DEPTH = 64  # of lists and objects in each other; qsynth's own files have 12
LARGEST = 2**64  # of whole numbers
_DIGITS = len(str(LARGEST)) + 1


def plain_json(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: it is none, or nested deeper than 64, or has a whole number beyond 2^64.
    """
    try:
        value = json.loads(text.decode("utf-8") if isinstance(text, bytes) else text, parse_int=_whole)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if too_deep(value):
        raise ValueError("nested too deeply")
    return value


def parse_json(text: str | bytes, source: str) -> Any:
    """The same, in the words that people get.

    Args:
        source: what messages call it.

    Raises:
        FileError: see :func:`plain_json`.
    """
    try:
        return plain_json(text)
    except ValueError as error:
        raise FileError(f"{source} must be JSON: {' '.join(str(error).split())}") from None


def read_json(path: Path | str, most: int = MOST_BYTES) -> Any:
    """The value in a JSON file.

    Raises:
        FileError: see :func:`parse_json` and :func:`qsynth.files.content.read_content`.
    """
    return parse_json(read_content(path, most), str(path))


def too_deep(value: Any) -> bool:
    """Whether lists and dicts are nested deeper than ``MOST_DEPTH``; found a level at a time, without recursion."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MOST_DEPTH + 1):
        if not level:
            return False
        level = [
            child
            for each in level
            for child in (each.values() if isinstance(each, dict) else each)
            if isinstance(child, dict | list)
        ]
    return True


def _whole(digits: str) -> int:
    number = int(digits) if len(digits) <= _DIGITS else LARGEST + 1
    if abs(number) > LARGEST:
        raise ValueError(f"whole numbers must be within +-2^64; got one of {len(digits)} digits")
    return number
