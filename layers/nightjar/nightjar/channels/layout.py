"""What channels without blocks have in common: notices as plain lines, cut and packed into messages of limited length."""

from collections.abc import Callable, Sequence

from nightjar.core.wording import Notice

ELLIPSIS = "…"
# A link may not leave less than this part of a length to words that have to be cut for it.
_WORDS = 3


def lines_of(notice: Notice, escape: Callable[[str], str] = str, *, full: bool) -> str:
    """Write a notice as lines, all but its links.

    Args:
        notice: What to write.
        escape: Makes a text show as typed.
        full: With facts, description and trend; else heading, source and sentence.
    """
    lines = [notice.heading, f"{notice.source} — {notice.sentence}"]
    if full:
        lines = [notice.heading, notice.sentence, "", *(f"{name}: {value}" for name, value in notice.facts)]
        lines += ["", notice.description] if notice.description else []
        lines += ["", notice.trend] if notice.trend else []
    return "\n".join(map(escape, lines))


def linked(words: str, notice: Notice, most: int, size: Callable[[str], int] = len) -> str:
    """Put a notice's links below its words, in a length: words are cut, a link is whole or left out.

    Args:
        words: The notice as lines.
        notice: Whose links.
        most: Length of all.
        size: How the receiver counts.
    """
    links = ""
    for name, url in notice.links:
        more = f"{links}\n{name}: {url}"
        left = most - size(more)
        if size(words) <= left or left >= most // _WORDS:
            links = more
    return cut(words, most - size(links), size) + links


def cut(text: str, most: int, size: Callable[[str], int] = len) -> str:
    """Cut a text between characters to a length, with an ellipsis; never inside an escape that a backslash begins.

    Example:
        >>> cut("abcdef", 4), cut("ab", 4)
        ('abc…', 'ab')
    """
    if size(text) <= most:
        return text
    kept = text[:most]
    while size(kept) > most - 1:
        kept = kept[:-1]
    slashes = len(kept) - len(kept.rstrip("\\"))
    return (kept[:-1] if slashes % 2 else kept) + ELLIPSIS


def packed(texts: Sequence[str], most: int, between: int, size: Callable[[str], int] = len) -> list[list[str]]:
    """Pack texts, in order, into as few groups as a length allows.

    Args:
        texts: None longer than `most`.
        most: Length of a group.
        between: Length of what stands between two texts.
        size: How the receiver counts.
    """
    groups: list[list[str]] = []
    room = 0
    for text in texts:
        if not groups or size(text) + between > room:
            groups.append([])
            room = most + between
        groups[-1].append(text)
        room -= size(text) + between
    return groups
