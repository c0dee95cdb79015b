"""Entries are added, changed and removed in a text of which every other byte stays."""

import tomllib
from datetime import UTC, date, datetime

import pytest

from scripts.key_text import added, changed, entries_of, removed
from settings import SettingsError

NAME = "settings.local.toml"
TEXT = """\
# This file is mine.
[hsts]   # two spaces more
max_age_s = 9 # end

# accounting: ask Mei
[[keys]] # the first
id = "aaaa1111"   # its id
name = "accounting"
sha256 = "x" # the digest
scopes = [
  "ocr", # reads
]
# expires = 2027-01-01

# billing
[[keys]]
id = "bbbb2222"
name = "billing"
sha256 = "y"

[keys.limits]
"/ocr" = "1/minute"

[limits]  # stands between two entries
per_key = "5/minute"

[[keys]]
id = "cccc3333"
name = "R&D"
# the last comment
"""
ENTRY = {
    "id": "dddd4444",
    "name": 'the "big" one \\ 北京 👩‍💻',
    "limits": {"/ocr": "1/minute", "*": "2/day"},
    "networks": ["10.0.0.0/8"],
    "concurrent": 2,
    "not_before": datetime(2027, 1, 1, 12, tzinfo=UTC),
    "expires": date(2028, 1, 1),
}


def ids(text: str) -> list[str]:
    """Return the ids of the entries of a text."""
    return [entry["id"] for entry in tomllib.loads(text)["keys"]]


def test_an_entry_is_added_after_the_others_and_removed_without_a_trace() -> None:
    """What was there is there byte for byte, comments and order included."""
    more = added(TEXT, NAME, ENTRY)
    assert more.startswith(TEXT + "\n[[keys]]\n")
    assert tomllib.loads(more)["keys"][-1] == ENTRY
    assert removed(more, NAME, 3) == TEXT
    alone = added("", NAME, ENTRY)
    assert alone.startswith("[[keys]]\n")
    assert removed(alone, NAME, 0) == ""
    unfinished = added("[hsts]\nmax_age_s = 9 # end", NAME, ENTRY)
    assert unfinished.startswith("[hsts]\nmax_age_s = 9 # end\n\n[[keys]]\n")


def test_a_value_is_changed_in_its_line() -> None:
    """New ones follow the last one of the entry, above its subtable."""
    first = changed(TEXT, NAME, 0, {"sha256": "new", "previous_sha256": "x"})
    expected = TEXT.replace('"x" # the digest', '"new" # the digest')
    assert first == expected.replace("reads\n]\n", 'reads\n]\nprevious_sha256 = "x"\n')
    assert changed(first, NAME, 0, {"previous_sha256": None}) == expected
    second = changed(TEXT, NAME, 1, {"sha256": "new", "previous_sha256": "y"})
    assert 'sha256 = "new"\nprevious_sha256 = "y"\n\n[keys.limits]\n"/ocr"' in second


@pytest.mark.parametrize(
    ("index", "gone"),
    [
        (0, TEXT[TEXT.index("# accounting") : TEXT.index("# billing")]),
        (1, TEXT[TEXT.index("# billing") : TEXT.index("[limits]")]),
        (2, TEXT[TEXT.index('\n[[keys]]\nid = "cccc3333"') :]),
    ],
)
def test_an_entry_is_removed_with_the_comments_that_adjoin_it(index: int, gone: str) -> None:
    """Those of the others stay at theirs, and tables that stand between entries."""
    assert removed(TEXT, NAME, index) == TEXT.replace(gone, "")


def test_tomlkit_alone_would_not_keep_the_text() -> None:
    """Negative control: the reason why it gets one entry at a time."""
    import tomlkit  # noqa: PLC0415

    document = tomlkit.parse(TEXT)
    del document["keys"][0]
    assert "# accounting" in tomlkit.dumps(document)
    assert "# billing" not in tomlkit.dumps(document)
    assert tomlkit.dumps(tomlkit.parse(TEXT)) != TEXT


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('keys = [{ id = "aaaa" }]\n', "keys is not written as [[keys]] entries"),
        ("keys = 3\n", "keys is not written as [[keys]] entries"),
        ("keys = []\n", "keys is not written as [[keys]] entries"),
        ('[[keys]]\nid = "a\n', "settings.local.toml:2: not valid TOML: the string is not closed"),
        ('[[keys]]\nid = "a"\n[x]\n[keys.limits]\n"*" = "1/day"\n', "put it right below"),
    ],
)
def test_what_cannot_be_edited_is_refused(text: str, said: str) -> None:
    """With what to write instead; nothing is guessed."""
    with pytest.raises(SettingsError, match=r"^settings\.local\.toml") as caught:
        added(text, NAME, ENTRY)
    assert said in str(caught.value)


def test_entries_are_those_of_the_text() -> None:
    """In their order; none is no mistake."""
    assert [each["id"] for each in entries_of(TEXT, NAME)] == ids(TEXT)
    assert entries_of("", NAME) == []
