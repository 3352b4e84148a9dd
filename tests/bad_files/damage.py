"""Ways to make a bad file of a good one, each drawn by a seed."""

import copy
import gzip
import io
import json
import os
import random
import socket
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

DEEP = 200_000
ABSURD: tuple[Any, ...] = (
    *(0, -1, 1, 2, 7, 2**31, 2**53, 2**63, 2**64, -(2**63), 10**9, 10**12, 10**320),
    *(0.0, -0.5, 1.5, 1e-320, 1e300, float("nan"), float("inf"), float("-inf")),
    *(True, False, None, [], {}, [[]], [{}], [None], "", "nan", "1e999", "x" * 3000, "a\0b", "\x1b[31m", "\ud800"),
    *(
        "../../outside",
        "/etc/passwd",
        "-",
        "~",
        "<script>alert(1)</script>",
        "%s%n{0}",
        "$(touch outside)",
        "no",
        "é" * 40,
    ),
)


def from_bytes(content: bytes, rng: random.Random) -> bytes:
    """Bytes cut, flipped, repeated, put in, packed, or in another encoding."""
    return rng.choice(_BYTES)(content, rng)


def _flipped(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(min(len(changed), rng.choice((1, 1, 2, 4, 16, 64)))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


_PUT_IN = (
    *(
        b"\0",
        b"\0" * 512,
        b"[" * DEEP,
        b"{" * 1000,
        b'"',
        b"'",
        b"\n",
        b"\r",
        b",",
        b"\t",
        b"\xff\xfe",
        b"9" * 400,
        b"nan",
    ),
    *(
        b"1e999",
        b"a" * 3000,
        b"\xef\xbb\xbf",
        b"\x1a",
        b"&a *a",
        b"!!python/object/apply:os.system ['true']",
        b"\n---\n",
    ),
)


def _put_in(content: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(content) + 1)
    what = rng.choice(_PUT_IN)
    return content[:place] + what + content[place:]


def _overwritten(content: bytes, rng: random.Random) -> bytes:
    place, n = rng.randrange(len(content) + 1), rng.choice((1, 8, 64, 512))
    return content[:place] + rng.choice((bytes(n), rng.randbytes(n), b"\xff" * n)) + content[place + n :]


def _recoded(content: bytes, rng: random.Random) -> bytes:
    return content.decode("latin-1").encode(rng.choice(("utf-16", "utf-32", "utf-8-sig", "utf-7", "cp037")), "replace")


def _zipped(content: bytes, _: random.Random) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("../../outside", content)
    return made.getvalue()


def _gzip_damaged(content: bytes, rng: random.Random) -> bytes:
    packed = gzip.compress(content, mtime=0)
    return rng.choice((_flipped(packed, rng), packed[: rng.randrange(len(packed))], packed + rng.randbytes(20)))


_BYTES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    lambda content, rng: content[: rng.randrange(len(content) + 1)],
    lambda content, rng: content[rng.randrange(len(content) + 1) :],
    _flipped,
    _flipped,
    _put_in,
    _put_in,
    _overwritten,
    _recoded,
    _zipped,
    _gzip_damaged,
    lambda content, rng: gzip.compress(gzip.compress(content, mtime=0), mtime=0),
    lambda content, rng: content + content,
    lambda content, rng: b"",
    lambda content, rng: rng.randbytes(rng.randrange(2000)),
    lambda content, rng: rng.choice((b"[", b"{", b"- ", b'{"a":', b"(", b"\n")) * DEEP,
)


def from_value(value: Any, rng: random.Random) -> Any:
    """JSON with one to three parts of another type, size or name."""
    value = copy.deepcopy(value)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        value = _changed(value, rng)
    return value


def _changed(value: Any, rng: random.Random) -> Any:
    places: list[tuple[Any, Any]] = []
    _walk(value, places, 0)
    if not places or rng.random() < 0.02:
        return rng.choice(ABSURD)
    parent, key = rng.choice(places)
    other, other_key = rng.choice(places)
    how = rng.randrange(10)
    if how < 5:
        parent[key] = rng.choice(ABSURD)
    elif how == 5:
        del parent[key]
    elif how == 6:
        parent[key] = copy.deepcopy(other[other_key]) if other is not parent or other_key != key else None
    elif how == 7 and isinstance(parent, dict):
        parent[rng.choice(("extra", "", "a\0b", "../x", "x" * 3000, str(key).upper()))] = parent.pop(key)
    elif how == 8 and isinstance(parent[key], list):
        parent[key] = rng.choice((parent[key] * 2, parent[key][::-1], parent[key][1:], [parent[key]]))
    else:
        parent[key] = [parent[key]]
    return value


def _walk(value: Any, places: list[tuple[Any, Any]], depth: int) -> None:
    """Every place in it, of long lists some."""
    if depth > 12:
        return
    keys = list(value) if isinstance(value, dict) else range(min(len(value), 40)) if isinstance(value, list) else ()
    for key in keys:
        places.append((value, key))
        _walk(value[key], places, depth + 1)


def from_json(content: bytes, rng: random.Random) -> bytes:
    """A JSON text that is none, or says something else."""
    if rng.random() < 0.25:
        return from_bytes(content, rng)
    return json.dumps(from_value(json.loads(content), rng)).encode()


def from_json_lines(content: bytes, rng: random.Random) -> bytes:
    """Lines of JSON, some of them no more what they were."""
    if rng.random() < 0.2:
        return from_bytes(content, rng)
    lines = content.splitlines()
    for place in rng.sample(range(len(lines)), min(len(lines), rng.choice((1, 1, 3)))):
        lines[place] = from_json(lines[place], rng)
    return b"\n".join(lines) + b"\n"


def from_yaml(content: bytes, rng: random.Random) -> bytes:
    """A YAML text that is none, or says something else."""
    if rng.random() < 0.3:
        return from_bytes(content, rng)
    value = from_value(yaml.safe_load(content), rng)
    text = yaml.safe_dump(value, allow_unicode=True) if rng.random() < 0.8 else json.dumps(value)
    return text.encode("utf-8", "surrogatepass")


def from_tensors(content: bytes, rng: random.Random) -> bytes:
    """A safetensors file with another header, another JSON in it, or other numbers."""
    if rng.random() < 0.15:
        return from_bytes(content, rng)
    size = struct.unpack("<Q", content[:8])[0]
    header, numbers = json.loads(content[8 : 8 + size]), bytearray(content[8 + size :])
    how = rng.random()
    if how < 0.65:  # what it says of itself
        about = header["__metadata__"]
        about["about"] = from_json(about["about"].encode(), rng).decode("utf-8", "surrogateescape")
    elif how < 0.85:
        header = from_value(header, rng)
        tensors = [name for name in header if name != "__metadata__"] if isinstance(header, dict) else []
        if tensors and isinstance(entry := header[rng.choice(tensors)], dict):
            entry["dtype"] = rng.choice(("F16", "BF16", "I64", "F64", "BOOL", "F32", "U8", "F8_E4M3"))
    else:
        for _ in range(rng.choice((1, 4, 1000))):
            if len(numbers) >= 4:
                place = rng.randrange(len(numbers) // 4) * 4
                numbers[place : place + 4] = struct.pack(
                    "<f", rng.choice((float("nan"), float("inf"), 3e38, -3e38, 0.0, 1e-40))
                )
    try:
        made = json.dumps(header, ensure_ascii=True).encode()
    except (TypeError, ValueError):
        made = b"{}"
    made += b" " * (-len(made) % 8)
    length = rng.choice((0, 2**63, 2**64 - 1, len(made) + 8)) if rng.random() < 0.05 else len(made)
    return struct.pack("<Q", length) + made + bytes(numbers)


def no_file(path: Path, rng: random.Random) -> None:
    """Something at ``path`` that is no file, or can't be found."""
    rng.choice(_NO_FILES)(path)


def _socket(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)


_NO_FILES: tuple[Callable[[Path], object], ...] = (
    lambda path: path.mkdir(),
    lambda path: os.mkfifo(path),
    lambda path: path.symlink_to(path),
    lambda path: path.symlink_to("missing"),
    lambda path: path.symlink_to("/dev/zero"),
    lambda path: path.symlink_to("/dev/null"),
    _socket,
    lambda path: None,
)
