"""How numbers are written for a reader: `−1 234.5`, with three significant digits."""


def number(value: float, digits: int) -> str:
    """`-1 234.5` with a minus sign and thin spaces."""
    text = f"{value:,.{digits}f}".replace(",", "\u2009")
    return text.replace("-", "\u2212")


def digits_for(*values: float) -> int:
    """Decimals that show about three significant digits of the largest value."""
    largest = max(abs(value) for value in values)
    return next((d for d, limit in enumerate((100, 10)) if largest >= limit), 2)
