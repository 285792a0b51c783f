"""How numbers are written for a reader: `−1 234.5`, with three significant digits."""

import math


def number(value: float, digits: int) -> str:
    """`-1 234.5` with a minus sign and thin spaces that break no line."""
    text = f"{value:,.{digits}f}".replace(",", "\u202f").replace("inf", "\u221e")
    return text.replace("-", "\u2212")


def digits_for(*values: float) -> int:
    """Decimals that show about three significant digits of the largest value."""
    largest = max((abs(v) for v in values if math.isfinite(v)), default=0.0)
    return next((d for d, limit in enumerate((100, 10)) if largest >= limit), 2)
