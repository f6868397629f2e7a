"""Quoted stretches of a short text, one by one and without NumPy: a header has few, and completion reads it."""

import re


def quoted_stretches(text: bytes, separators: str, quote: str = '"') -> list[tuple[int, int]]:
    """The places (opening, closing) of the quotes around each quoted field, in bytes from the beginning of the text.

    The closing place is ``len(text)`` if the quote never closes. Each character in ``separators`` is a separator;
    blanks may precede an opening quote.
    """
    q, ends = re.escape(quote.encode()), re.escape(separators.encode()) + rb"\r\n"
    blanks = b"" if separators == " " else b" *"
    field = re.compile(rb"(?:(?<=[" + ends + rb"])|\A)" + blanks + rb"(" + q + rb")[^" + q + rb"]*(?:" + q + q
                       + rb"[^" + q + rb"]*)*(?:(" + q + rb")|\Z)")  # fmt: skip
    return [(found.start(1), found.start(2) if found[2] else len(text)) for found in field.finditer(text)]
