"""PnL of an interval, socialized over takers without cover (docs/protocol.md §7.1)."""

from perennial.mirror.position import Book


def distribute(sizes: Book, start: int, end: int) -> tuple[int, int, int]:
    """What makers, longs and shorts gain by a move of the price: USD with 12 decimals, exact, summing to zero."""
    move = end - start
    longs = move * min(sizes.long, sizes.maker + sizes.short)
    shorts = -move * min(sizes.short, sizes.maker + sizes.long)
    return -(longs + shorts), longs, shorts
