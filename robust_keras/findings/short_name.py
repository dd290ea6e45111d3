"""The telling part of a model's path."""


def short_name(path: str) -> str:
    """Gives the last telling part of a path: not a version number, `serving` or `model.keras`.

    Example:
        >>> short_name("runs/quickstart/serving/1")
        'quickstart'
    """
    pieces = [piece for piece in path.replace("\\", "/").split("/") if piece not in ("", ".", "..")]
    for piece in reversed(pieces):
        if not piece.isdigit() and piece not in ("serving", "model.keras"):
            return piece.removesuffix(".keras") or piece
    return pieces[-1] if pieces else path
