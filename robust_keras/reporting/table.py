"""A table of numbers: the page, the terminal and the exported files show the same one."""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of text under columns, of which the first names the row.

    Args:
        caption: what the numbers are and of what, so that the table can stand alone.
        columns: one title a column; what stands before a line break is its unit, small on the page.
        rows: one text a column and row.
        words: indices of columns that hold words, which are aligned to the left.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[int, ...] = (0,)

    def __post_init__(self):
        """Refuses rows that do not fit the columns.

        Raises:
            ValueError: a row has more or fewer cells than there are columns.
        """
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(
                    f"a row must have {len(self.columns)} cells, one a column. Received: {row}"
                )

    @property
    def titles(self) -> tuple[str, ...]:
        """The columns' titles, each on one line."""
        return tuple(" ".join(column.split()) for column in self.columns)
