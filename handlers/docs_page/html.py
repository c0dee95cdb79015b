"""HTML as strings, escaped once."""

import html
import re

_CODE = re.compile(r"`([^`]+)`")


class Html(str):
    """A piece of HTML; any other string is text."""

    __slots__ = ()


def tag(name: str, *content: str, **attributes: str | None) -> Html:
    """Return an element; text in it is escaped, and so are attributes. `class_` is class."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{written}>{joined(*content)}</{name}>")


def joined(*content: str) -> Html:
    """Return pieces one after the other, with text escaped."""
    return Html("".join(each if isinstance(each, Html) else html.escape(each) for each in content))


def inline(text: str) -> Html:
    """Return a text in which what is between backticks is code."""
    pieces = _CODE.split(text)
    return joined(
        *(tag("code", piece) if index % 2 else piece for index, piece in enumerate(pieces))
    )


def paragraphs(text: str) -> Html:
    """Return the paragraphs of a text, which are separated by empty lines."""
    return joined(*(tag("p", inline(each)) for each in text.split("\n\n") if each.strip()))


def table(heads: tuple[str, ...], rows: list[tuple[str, ...]], class_: str = "") -> Html:
    """Return a table; the first cell of a row is its heading.

    Each cell has its column's heading in data-head, which narrow screens show.
    """
    body = [
        tag(
            "tr",
            *(
                tag("th", cell, scope="row")
                if index == 0
                else tag("td", cell, data_head=heads[index])
                for index, cell in enumerate(row)
            ),
        )
        for row in rows
    ]
    head = tag("thead", tag("tr", *(tag("th", each, scope="col") for each in heads)))
    return tag("table", head, tag("tbody", *body), class_=class_ or None)
