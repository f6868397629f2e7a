"""The sizes of numbers that a fit can compute with: what is squared must neither overflow nor vanish."""

from gdcli.base.names import quoted

# The square of a number as large as this, times the number of rows, is still far from overflow.
LARGEST = 1e152


def size_fault(name: str, size: float) -> str:
    """The reason why a column whose largest absolute value is ``size`` cannot be fitted, with advice; "" if it can."""
    if not (size > LARGEST or 0 < size < 1 / LARGEST):
        return ""
    extreme = "large" if size > LARGEST else "small"
    return f"the values of {quoted(name)} are too {extreme} to compute with (up to {size:g}); give them in another unit"
