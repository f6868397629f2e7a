"""One page of its parts: the modules in the order in which they need each other, the style, the report and the data.

The page's Content-Security-Policy lets run what has the hash of this program and this style, and nothing else; no
request leaves it. The program lies in it compressed (RFC 1950), at a third of its size. Data come as JSON in an element
that is no script, and no character of theirs can end it.
"""

import json
import re
import zlib
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any

from gdcli.base.patterns import pattern

# The module that starts the page; it imports the others.
_FIRST = "main.js"

_IMPORT = pattern(r'^import \{[^}]*\} from "\./(\w+\.js)";\n', re.MULTILINE)

_EXPORT = pattern(r"^export ", re.MULTILINE)

# Lines of comments, and indentation: template strings of the modules are of one line each.
_COMMENT = pattern(r"^\s*//.*\n|^\s+", re.MULTILINE)

# Blanks beside the marks of a style sheet, which mean nothing there; one before a colon does.
_STYLE_BLANKS = pattern(r"\s*([{};,])\s*|(:)\s+")

_SLOT = pattern(r"\{\{(\w+)\}\}")

# What could end the element that holds the data, or act in it.
_ACTING = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def lesson_page(title: str, report: str, contents: Mapping[str, Any]) -> bytes:
    """The lesson as one HTML page in UTF-8.

    ``report`` is HTML that can be read without JavaScript; ``contents`` is the JSON data that the page's script draws.
    """
    program, loader = bundled_script(), _bare(_part("loader.js"))
    style = _STYLE_BLANKS.sub(r"\1\2", _part("page.css"))
    slots = {
        "title": escape(title),
        "style": style,
        "style_hash": _hash(style),
        "hashes": f"'{_hash(loader)}' '{_hash(program)}'",
        "loader": loader,
        "program": b64encode(zlib.compress(program.encode(), 9)).decode("ascii"),
        "report": report,
        "data": json.dumps(contents, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(_ACTING),
    }
    page = _SLOT.sub(lambda match: slots[match[1]], _part("page.html"))
    return page.encode("utf-8", errors="replace")


def bundled_script() -> str:
    """All JavaScript modules as one script, each once and after the modules that it imports."""
    done: dict[str, str] = {}

    def add(name: str) -> None:
        if name in done:
            return
        source = _part(name)
        for needed in _IMPORT.findall(source):
            add(needed)
        done[name] = _bare(_EXPORT.sub("", _IMPORT.sub("", source)))

    add(_FIRST)
    return '"use strict";\n' + "".join(done.values())


def _bare(source: str) -> str:
    """JavaScript without comments and indentation."""
    return _COMMENT.sub("", source)


def _part(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode('ascii')}"
