"""Which code of a checkout runs on its users' machines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from perfmod.discovery import language_of
from perfmod.patterns import pattern

if TYPE_CHECKING:
    from perfmod.project import Project

SERVER = pattern(
    r"(?:\A|/)(?:supabase/functions|functions|api|server|servers|backend|scripts|netlify|edge-functions|workers?)/"
    r"|(?:\A|/)(?:middleware|proxy|route|instrumentation)\.[cm]?[jt]sx?\Z|\.server\.[cm]?[jt]sx?\Z"
)
PHONE = ("expo", "react-native", "@ionic/core", "@capacitor/core")
USE_CLIENT = pattern(rb"\A(?>\s|//[^\n]*\n|/\*.*?\*/)*+[\"']use client[\"']", re.S)
USE_SERVER = pattern(rb"\A(?>\s|//[^\n]*\n|/\*.*?\*/)*+[\"']use server[\"']", re.S)


def is_browser_code(project: Project, path: str) -> bool:
    """Whether a file belongs to a package that is bundled for a browser or a phone, and runs there."""
    if language_of(path) not in ("typescript", "tsx", "javascript"):
        return False
    owner = project.packages.owner(path)
    if owner is None:
        return False
    below = path[len(owner.folder) :].lstrip("/")
    data = project.raw(path) or b""
    if SERVER.search(below) or USE_SERVER.match(data):
        return False
    if any(owner.sections_of(package) for package in PHONE):
        return True
    bundler = project.packages.bundler(owner)
    return USE_CLIENT.match(data) is not None if bundler == "next" else bundler is not None
