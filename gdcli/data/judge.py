"""The judge of texts: whether a cell's text means a number to people, though it is none as it stands.

``CHF 70.00``, ``12 kg``, ``1.2M``, ``5 %``, ``(5)``, ``<0.25``, ``1.0D+03``, ``'12.5'`` and ``10th`` do, and so does
every number of another format. A column of such texts is no list of categories.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from gdcli.base.patterns import pattern
from gdcli.data.number_format import NUMBER_FORMATS, NumberFormat

# Texts of a column that are looked at; more say nothing new.
_SAMPLE = 1000

_NUMBER = r"(?:\d{1,3}(?:[ ,.'’_\u00a0\u202f]\d{3})+|\d+)?(?:[.,]?\d+|\d[.,])(?:[eEdD][+-]?\d+)?"

_SIGN = r"[+\-−–]?"

_MARKS = r"[$€£¥¢₹₽₩₺₪฿₴₫]"

_CODES = (
    "AUD|BRL|CAD|CHF|CNY|CZK|DKK|EUR|GBP|HKD|HUF|IDR|ILS|INR|JPY|KRW|MXN|MYR|NOK|NZD|PHP|PLN|RON|RUB|SEK|SGD|THB|TRY|"
    "TWD|UAH|USD|VND|ZAR|US\\$|A\\$|C\\$|HK\\$|NZ\\$|R\\$|Rs\\.?|kr\\.?|Fr\\.?"
)

_ABOUT = r"<=|>=|[<>≤≥~≈±#№=]|ca\.|c\.|approx\.?|about"

# A unit: one word, perhaps per another one (km/h, m2, mg/dL), or signs (%, °C, *). Ranges (18-25) and 65+ are classes.
_UNIT = r"[^\W\d_]{1,12}\.?[23²³]?(?:/[^\W\d_]{1,8}[23²³]?)?(?: [a-z]{1,6})?|%|‰|°[CFK]?|[*†‡]+|[\"″'′]"

_BEFORE = rf"(?:(?:{_ABOUT}|{_MARKS}|{_CODES})\s?)*"

_AROUND = pattern(
    rf"(?P<before>{_BEFORE})(?P<sign>{_SIGN})\s?(?P<mark>(?:{_MARKS})?)\s?(?P<number>{_NUMBER})"
    rf"\s?(?P<unit>(?:{_MARKS}|{_CODES}|{_UNIT}|-)?)"
)

_UNSURE = pattern(rf"{_SIGN}{_NUMBER}\s?(?:±|\+/-)\s?{_NUMBER}\s?(?:{_UNIT}|)")

_HEX = pattern(r"0[xX][0-9a-fA-F]+")

_QUOTES = "'\"`´‘’“”="


def odd_number(text: str, form: NumberFormat) -> str | None:
    """The unit or sign around the number in a text, such as ``%`` in ``5 %``; "" for a number written otherwise (0x1F).

    None if the text contains no number, or is one in the format ``form``, which can be read as it is.
    """
    if not any(map(str.isdigit, text)) or form.is_number(text):
        return None
    if any(other.is_number(text) for other in NUMBER_FORMATS) or _HEX.fullmatch(text):
        return ""
    import unicodedata

    plain = unicodedata.normalize("NFKC", text).strip()
    plain = plain.strip(_QUOTES).strip() or plain
    if plain.startswith("(") and plain.endswith(")"):
        plain = plain[1:-1].strip()
    if _UNSURE.fullmatch(plain):
        return ""
    found = _AROUND.fullmatch(plain)
    return None if found is None else f"{found['before']}{found['mark']} {found['unit']}".strip()


def odd_numbers(levels: Sequence[str], counts: Sequence[int], form: NumberFormat) -> list[str]:
    """The texts of a column that contain a number but cannot be read as one.

    Empty if they and the cells that can be read as numbers are less than half of all.
    """
    step = -(-len(levels) // _SAMPLE) or 1
    seen = [(level, count) for level, count in zip(levels[::step], counts[::step], strict=True) if count]
    around = {level: odd_number(level, form) for level, _ in seen}
    units = Counter(unit for unit in around.values() if unit)
    # Texts that end in as many different words as there are texts are names: 12 Main, 7 Oak.
    names = len(units) > 1 and len(units) == sum(units.values())
    odd = [level for level, unit in around.items() if unit is not None and not (unit and names)]
    like = sum(count for level, count in seen if level in set(odd) or form.is_number(level))
    return odd if odd and 2 * like >= sum(count for _, count in seen) else []


def formats_for(levels: Iterable[str], form: NumberFormat, commas: bool) -> list[NumberFormat]:
    """The other formats in which all ``levels`` are numbers, the likeliest first; of those that agree only one.

    ``commas``: the comma separates the cells, so that a quoted 1,000 is a thousand, not a 1 with three decimals.
    """
    texts = list(levels)[:_SAMPLE]
    fits: dict[tuple[float | None, ...], NumberFormat] = {}
    for other in NUMBER_FORMATS:
        values = tuple(other.value(text) for text in texts)
        # Of two formats that give the same numbers, the one that leaves the decimal mark as it is.
        better = values not in fits or (other.decimal == form.decimal != fits[values].decimal)
        if other != form and None not in values and better:
            fits[values] = other
    found = list(fits.values())
    return [one for one in found if one.decimal != ","] or found if commas else found
