"""A command line typed so far, cut into words by the shell's rules for quotes, open ones too."""

from gdcli.base.records import record

_KEPT_BACKSLASH = '$`"\\\n'


@record
class Typed:
    """A command line typed so far, without quotes: its finished words, and the ``current`` one at the cursor.

    Readline keeps the first ``taken`` characters of the current word and replaces the rest. ``quote`` is the mark that
    is open at the cursor, or "".
    """

    words: tuple[str, ...]
    current: str
    taken: int
    quote: str = ""


def split_typed(line: str, breaks: str = "") -> Typed:
    """The words of a command line that ends at the cursor, split by the shell's rules for quotes.

    ``breaks`` are bash's COMP_WORDBREAKS: unquoted, they begin a word for readline.
    """
    words: list[str] = []
    word, begun, quote, taken = "", False, "", 0
    rest = iter(line)
    for c in rest:
        if not quote and c.isspace():
            if begun:
                words.append(word)
            word, begun, taken = "", False, 0
            continue
        begun = True
        if c == quote:
            quote = ""
        elif not quote and c in "'\"":
            quote, taken = c, len(word)
        elif c == "\\" and quote != "'":
            following = next(rest, "")
            word += f"\\{following}" if quote and following not in _KEPT_BACKSLASH else following
        else:
            word += c
            if not quote and c in breaks:
                taken = len(word)
    return Typed(tuple(words), word, taken, quote)


def inside_quotes(text: str, quote: str) -> str:
    """The text escaped so that bash takes it literally behind an open ``quote``.

    In double quotes ``!`` would recall history. Readline closes the quote, but not behind a text that ends with one.
    """
    if quote == "'":
        found = text.replace("'", "'\\''")
    else:
        found = "".join("\"'!'\"" if c == "!" else f"\\{c}" if c in _KEPT_BACKSLASH else c for c in text)
    return found + quote if found.endswith(quote) else found
