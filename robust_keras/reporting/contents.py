"""The lists of what a page holds, made of its headings."""

import re

import markupsafe

# What strangers chose has no angle brackets left, so every tag is ours.
_HEADING = re.compile(
    r"<h(?P<level>[23])(?: id=\"(?P<id>[^\"]+)\")?>(?P<text>.*?)</h[23]>", re.DOTALL
)
_BADGE = re.compile(r'<span class="badge.*?</span>', re.DOTALL)


def with_identifiers(text: markupsafe.Markup, prefix: str) -> markupsafe.Markup:
    """Gives a part of a page whose headings of the third level can be linked to.

    Args:
        text: the part.
        prefix: what its identifiers begin with, another one for each part.
    """
    count = iter(range(1, text.count("<h3") + 1))
    return markupsafe.Markup(re.sub(r"<h3>", lambda _: f'<h3 id="{prefix}-{next(count)}">', text))


def links(text: str, level: int) -> list[tuple[str, markupsafe.Markup]]:
    """Gives (identifier, text) of a page's headings of a level, 2 or 3, that have an identifier."""
    return [
        (found["id"], markupsafe.Markup(_BADGE.sub("", found["text"]).strip()))
        for found in _HEADING.finditer(text)
        if int(found["level"]) == level and found["id"]
    ]
