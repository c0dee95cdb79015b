"""Reading a TOML file; what is wrong with it is said in plain words."""

import re
import tomllib
from pathlib import Path
from typing import Any

from settings.errors import SettingsError
from settings.toml_lines import unfinished_line

# tomllib's messages (Python 3.11 to 3.13) by how they begin, and what they mean to an operator.
IN_PLAIN_WORDS = (
    ("Cannot overwrite a value", "the key is already set above; keep one of the two"),
    ("Cannot declare", "the table is already declared above; merge the two"),
    ("Cannot ", "the table or key is already set above; merge the two"),
    ("Duplicate inline table key", "the key is twice in its table; keep one of the two"),
    ("Invalid statement", 'expected "key = value" or "[table]"'),
    ("Invalid initial character for a key part", 'expected "key = value" or "[table]"'),
    ("Expected '=' after a key", 'expected "key = value" or "[table]"'),
    ("Expected newline or end of document", "something follows the value; write one key per line"),
    ("Expected ']", 'the name of the table is not closed with "]"'),
    ("Invalid value", "the value is missing or has no quotes; strings are written in quotes"),
    ("Unclosed array", 'the list is not closed with "]", or a comma is missing in it'),
    ("Unclosed inline table", 'the table is not closed with "}", or a comma is missing in it'),
    ("Unterminated string", "the string is not closed with its quote"),
    ('Expected "\'"', "the string is not closed with its quote"),
    ("Illegal character '\\n'", "the string is not closed with its quote"),
    ("Illegal character", "there is a control character; remove it"),
    ("Unescaped '\\'", "a backslash starts an escape; write the string in single quotes"),
    ("Invalid hex value", "a backslash starts an escape; write the string in single quotes"),
    ("Escaped character", "a backslash starts an escape; write the string in single quotes"),
    ("Invalid date or datetime", "there is no such date; dates are written 2027-01-31"),
)
_WHERE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def read_text(path: Path) -> str:
    """Return a settings file's text.

    Raises:
        SettingsError: it does not exist, cannot be read, or is not UTF-8.

    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsError(
            f"{path} does not exist; set OCR_SETTINGS to use another file"
        ) from None
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be read: {error.strerror}; the service's user needs to read it"
        ) from None
    except UnicodeDecodeError:
        raise SettingsError(
            f"{path.name} cannot be read: it is not UTF-8; save it as UTF-8"
        ) from None
    if text.startswith("\ufeff"):
        raise SettingsError(
            f"{path.name}:1: the file begins with a byte order mark (BOM); save it as UTF-8 "
            "without BOM"
        )
    return text


def parse(text: str, name: str) -> dict[str, Any]:
    """Return the document of a text.

    Raises:
        SettingsError: it is not valid TOML; the message has the line.

    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = str(error)
    except RecursionError:
        raise SettingsError(f"{name}: not valid TOML: it is nested too deeply") from None
    where = _WHERE.search(said)
    line = int(where[1]) if where and where[1] else len(text.splitlines())
    start = unfinished_line(text) or line
    begins = f", in what begins in line {start}" if start < line else ""
    meaning = next((words for begin, words in IN_PLAIN_WORDS if said.startswith(begin)), "")
    raise SettingsError(
        f"{name}:{line}: not valid TOML{begins}: {meaning or 'the line cannot be understood'}"
    )
