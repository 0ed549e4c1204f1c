"""Ampersands in the text of JSX, which the grammars take for errors."""

from __future__ import annotations

import pytest

from perfmod.source.text import Text
from perfmod.source.tree import Source

HEAD = "type Both<T> = Pick<A, 'a'> & Omit<B<T>, 'b'> & { c: 1 & number };\nconst bits = 1 & 2;\n"


def source(code: str, language: str) -> Source:
    return Source(Text("a.tsx", code.encode()), language)


@pytest.mark.parametrize("language", ["tsx", "javascript"])
@pytest.mark.parametrize(
    "text",
    [
        "<b>Terms & Conditions</b>",
        "<b>Save & {count} & more</b>",
        "<b>\n  {loading && <i />}\n  Save & update\n</b>",
        "<b>R&D &amp; sales &#38; A & B <i>&</i> & </b>",
        "<b title='a & b'>{a & b} & {a && b}</b>",
        "<><b>{x}</b> & <b>{y}</b></>",
    ],
)
def test_ampersands_are_text(text: str, language: str) -> None:
    head = HEAD if language == "tsx" else "const bits = 1 & 2;\n"
    code = f"{head}export const View = () => ({text});\nexport const after = supabase.from('t');\n"
    found = source(code, language)
    assert found.error is None
    (name,) = found.find_word(b"after")
    assert (name.type, found.code(name)) == ("identifier", "after")
    assert found.utf8.decode() == code


@pytest.mark.parametrize("code", ["const a = <b>Terms & Conditions;", "const a = 1 & ;", "const a = <b>A & B</b> &;"])
def test_other_errors_stay_errors(code: str) -> None:
    assert source(code, "tsx").error is not None
