"""`Terms & Conditions` in the text of JSX: TypeScript takes the `&` as a letter, the grammars take it as an error."""

from __future__ import annotations

from collections.abc import Callable

from tree_sitter import Tree

from perfmod.patterns import pattern

# Up to a closing tag, so that no `A<B> & C<D>` of types is meant.
TEXT = pattern(rb">[^<>{}&]{0,2000}+(?:&[^<>{}&]{0,2000}+){1,50}+(?=</)")
AMPERSAND = pattern(rb"&(?!\w{1,30};|#\w{1,10};)")
MOST = 30  # further ones that are looked for by the errors that they make
LIMIT = 2_000_000  # bytes that are parsed for that, in all


def without_ampersands(utf8: bytes, tree: Tree, parse: Callable[[bytes], Tree]) -> Tree:
    """The tree of the text with full stops for such ampersands, where that leaves no error; else the one given.

    Both texts are as long as each other, so that nodes stand where they stand in the file.
    """
    text = TEXT.sub(lambda match: AMPERSAND.sub(b".", match[0]), utf8)
    found = parse(text) if text != utf8 else tree
    for _ in range(min(MOST, LIMIT // len(utf8))):
        place = ampersand_at(found, text) if found.root_node.has_error else None
        if place is None:
            break
        text = text[:place] + b"." + text[place + 1 :]
        found = parse(text)
    return tree if found.root_node.has_error else found


def ampersand_at(tree: Tree, text: bytes) -> int | None:
    """The ampersand that ends the first error, or that follows it."""
    from perfmod.source.tree import first_error

    error = first_error(tree.root_node)
    if error is None:
        return None
    for place in (error.end_byte, error.start_byte, error.end_byte - 1):
        if AMPERSAND.match(text, place):
            return place
    found = AMPERSAND.search(text, error.start_byte, min(error.end_byte, error.start_byte + 4000))
    return found.start() if found is not None else None
