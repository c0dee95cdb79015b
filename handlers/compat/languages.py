"""The languages that can be read, by the names that clients of other services have for them."""

from handlers.errors import InvalidParameter

CHINESE_AND_ENGLISH = ("chi_sim", "chi_tra", "eng")

_READ = frozenset({
    "", "auto", "ch", "chi_sim", "chi_sim_vert", "chi_tra", "chi_tra_vert", "chinese",
    "chinese_cht", "chs", "cht", "cn", "en", "en-gb", "en-us", "eng", "english", "equ",
    "models/config_chinese.txt", "models/config_chinese_cht(v2).txt",
    "models/config_chinese_cht.txt", "models/config_en.txt", "osd", "zh", "zh-cn", "zh-hans",
    "zh-hant", "zh-hk", "zh-tw", "zho", "中文", "简体中文", "繁体中文", "繁體中文", "英文",
})  # fmt: skip


def check_language(value: str, *, name: str, takes: tuple[str, ...]) -> None:
    """Check that a language is one that can be read: another one's text would come out wrong.

    Raises:
        InvalidParameter: it is another one; the parameter `name` takes `takes`.

    """
    if value.strip().lower().replace("_", "-") not in _READ_BY_ANY_SEPARATOR:
        raise InvalidParameter(", ".join(takes), name)


_READ_BY_ANY_SEPARATOR = frozenset(name.replace("_", "-") for name in _READ)
