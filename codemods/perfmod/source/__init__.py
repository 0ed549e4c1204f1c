"""One parsed file, and the verbs that rules use on it."""

from perfmod.source.text import Text, Unreadable
from perfmod.source.tree import Source

__all__ = ["Source", "Text", "Unreadable"]
