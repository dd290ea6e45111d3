"""A matplotlib figure as part of the page: one drawing for light, dark, wide and narrow.

Its colours become classes that style.css fills, its letters those of the page, and what a mark
says in its gid a title, which a browser shows where the pointer rests; all without a script.
"""

import functools
import re
import xml.etree.ElementTree as ElementTree

import markupsafe

from robust_keras.reporting import theme

# What stands in identifiers for the number that a figure has on its page.
_NUMBER = "figure-number-"
_SVG, _LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
_LEFT_OUT = {"metadata", "style"}
_OF_THE_PAGE = {"font-family", "font"}
HOVER = "hover: "


def inline(svg: bytes) -> markupsafe.Markup:
    """Gives the bytes of an SVG file that matplotlib wrote as markup to stand in a page.

    Identifiers are unique in the figure; `numbered` makes them so on a page.
    """
    root = ElementTree.fromstring(svg)
    found = _element(root)
    found.attrib = {"class": "plot", "viewBox": root.attrib["viewBox"], "aria-hidden": "true"}
    text = ElementTree.tostring(found, encoding="unicode", short_empty_elements=False)
    return markupsafe.Markup(re.sub(r">\s+<", "><", text))


def numbered(page: str) -> str:
    """Gives a page whose figures have identifiers of their own."""
    count = iter(range(1, page.count('<svg class="plot"') + 1))
    return re.sub(
        r'<svg class="plot".*?</svg>',
        lambda found: found[0].replace(_NUMBER, f"figure-{next(count)}-"),
        page,
        flags=re.DOTALL,
    )


def _element(source):
    """An element without namespace and styles, and all below it."""
    made = ElementTree.Element(source.tag.removeprefix(_SVG))
    made.text, made.tail = source.text, source.tail
    made.attrib = dict(_attributes(source))
    name = source.get("id", "")
    if name.startswith(HOVER):
        ElementTree.SubElement(made, "title").text = name.removeprefix(HOVER)
    for child in source:
        if child.tag.removeprefix(_SVG) not in _LEFT_OUT:
            made.append(_element(child))
    return made


def _attributes(source):
    style, classes = _style(source.get("style", "")), []
    for name, value in {**source.attrib, **style}.items():
        if name in ("fill", "stroke") and (word := _words().get(value)):
            classes.append(f"{name}-{word}")
        elif name == "id":
            # Groups have names that nothing refers to.
            if source.tag != f"{_SVG}g":
                yield name, _NUMBER + value
        elif name == _LINK:
            yield "href", value.replace("#", f"#{_NUMBER}", 1) if value[0] == "#" else value
        elif name == "clip-path":
            yield name, value.replace("#", f"#{_NUMBER}")
        elif name == "d":
            yield name, " ".join(value.split())
        elif name not in _LEFT_OUT | _OF_THE_PAGE and not value.startswith("rotate(-0 "):
            yield name, value
    if classes:
        yield "class", " ".join(classes)


def _style(text):
    pairs = (piece.partition(":") for piece in text.split(";") if piece.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}


@functools.cache
def _words():
    """The name of each colour, as style.css knows it."""
    named = {theme.PAPER: "paper", theme.INK: "ink", theme.MUTED: "muted", theme.RULE: "rule"}
    return named | {colour: f"line-{place}" for place, colour in enumerate(theme.LINES, 1)}
