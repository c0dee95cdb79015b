"""The words of a line in text objects: what one operator shows, with characters of one width.

PDFium, which is Chromium's, takes a text object of a single character for a line of its own on a
page that has wide gaps across, such as a receipt: none has fewer than two characters.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from handlers.pdf.placement import SPACE, Flow, Part, Placement

_SAME_WIDTH = 0.05  # of the height: by how much the widths in a text object may differ


@dataclass(frozen=True, slots=True)
class TextObject:
    """Texts, each with where it begins in px along the baseline, and a character's width."""

    texts: tuple[tuple[str, float], ...]
    unit: float


def text_objects(line: Placement) -> list[TextObject]:
    """Return the text objects of a line.

    PDFium sorts text objects that begin at one height by where they begin, from left to right: a
    line that runs to the left is one text object, and of a column only the first character begins
    at the top, where the next column begins, too.
    """
    if line.flow is Flow.LEFT:
        return [_text_object(list(_chains(line.parts)))]
    groups = _groups(line.parts, line.height)
    if line.flow is Flow.DOWN and len(groups[0]) > 2:  # noqa: PLR2004 - one object of two at least
        groups[:1] = [groups[0][:1], groups[0][1:]]
    return [_text_object(group) for group in groups]


def _chains(parts: Iterable[Part]) -> Iterator[Part]:
    """Yield the parts, words that are not separated by a space as one."""
    for _, chain in groupby(parts, key=lambda part: part.text == SPACE):
        yield _joined(*chain)


def _groups(parts: Iterable[Part], height: float) -> list[list[Part]]:
    """Return the parts in groups of one width, or nearly.

    Chinese characters of one width are together, each other word is apart. A space belongs to the
    word before it.
    """
    groups: list[list[Part]] = []
    for part in parts:
        last = groups[-1] if groups else []
        if part.text == SPACE or _belongs(last, part, _SAME_WIDTH * height):
            last.append(part)
        elif len(_text(last)) == 1:
            groups[-1] = [_joined(*last, part)]
        else:
            groups.append([part])
    _complete_last(groups)
    return groups


def _belongs(group: Sequence[Part], part: Part, tolerance: float) -> bool:
    """Tell whether a character is as wide as those before it, and no space is between them."""
    characters = [*group, part]
    if not group or any(len(each.text) > 1 or each.text == SPACE for each in characters):
        return False
    return abs(_unit(group) - part.unit) <= tolerance


def _complete_last(groups: list[list[Part]]) -> None:
    """Give a single character at the end a second one: of those before it, or a space."""
    if len(_text(groups[-1])) > 1:
        return
    last = groups.pop()
    if not groups:
        groups.append([*last, Part(SPACE, last[0].right, last[0].right + last[0].unit)])
    elif groups[-1][-1].text != SPACE:
        before = groups.pop()
        keep = before[:-1] if len(_text(before[:-1])) > 1 else []
        groups += [keep] if keep else []
        groups.append([_joined(*before[len(keep) :], *last)])
    elif len(_text(groups[-1])) > 2:  # noqa: PLR2004 - two remain without the space
        groups.append([groups[-1].pop(), *last])
    else:
        groups[-1] += last


def _joined(*parts: Part) -> Part:
    """Return neighbours as one, whose characters share the width."""
    return Part(_text(parts), parts[0].left, parts[-1].right)


def _text_object(group: Sequence[Part]) -> TextObject:
    """Return the text object of a group. A space that is too wide for its gap begins earlier."""
    words = [part for part in group if part.text != SPACE]
    inner_space = any(part.text == SPACE for part in group[1:-1])
    unit = min(part.unit for part in words) if inner_space else _unit(words)
    texts = []
    for part in group:
        narrow = part.text == SPACE and part.right - part.left < unit
        texts.append((part.text, part.right - unit if narrow else part.left))
    return TextObject(tuple(texts), unit)


def _unit(parts: Sequence[Part]) -> float:
    """Return the mean width of the characters."""
    return sum(part.right - part.left for part in parts) / len(_text(parts))


def _text(parts: Sequence[Part]) -> str:
    return "".join(part.text for part in parts)
