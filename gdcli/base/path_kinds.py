"""What a path leads to: the same file as another one, no regular file, a kind of file by its ending."""

import os
import re

from gdcli.base.patterns import pattern

# fsspec knows both names, chains protocols with ::, and takes what follows for a path as it is.
_FILE_ADDRESS = pattern(r"(?:.*::)?(?:file|local)://(.*)", re.DOTALL)


def same_file(one: str, other: str) -> bool:
    """Whether two paths lead to one regular file, existing or not. A ``file://`` address counts as the path in it."""
    one, other = local_path(one), local_path(other)
    try:
        if not os.path.exists(one) or not os.path.exists(other):
            return os.path.realpath(one) == os.path.realpath(other)
        return os.path.samefile(one, other) and os.path.isfile(one)
    except OSError:
        return False


def local_path(path: str) -> str:
    """The path that fsspec finds behind the last ``file://`` of an address (``simplecache::file:///a.csv``)."""
    if os.path.lexists(path):
        return path
    found = _FILE_ADDRESS.fullmatch(path)
    return os.path.expanduser(found[1]) if found else path


def is_special(path: str) -> bool:
    """Whether a path exists and is neither a regular file nor a folder: a device or FIFO, whose name says little."""
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def ending_of(path: str) -> str:
    """The ending of a file's name in lower case, with its dot. (``pathlib`` would take 5 ms to import.)"""
    return os.path.splitext(path)[1].lower()
