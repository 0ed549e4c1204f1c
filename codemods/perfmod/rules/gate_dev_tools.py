"""gate-dev-tools: debug consoles leave the production bundle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from perfmod.model import Fact, Facts, Finding, Note
from perfmod.rule import Triggers
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.project import Project
    from perfmod.source.tree import Source

CONSOLES = (
    "eruda",
    "vconsole",
    "react-scan",
    "@welldone-software/why-did-you-render",
    "@locator/runtime",
    "stats.js",
    "spectorjs",
)


@dataclass(frozen=True, slots=True)
class Options:
    """The options of gate-dev-tools."""

    packages: tuple[str, ...] = ()
    """further packages that belong in development only"""


class GateDevTools:
    """Debug consoles are loaded in development only.

    What it finds:
        Imports of eruda and its plugins, vconsole, react-scan, why-did-you-render, @locator/runtime, stats.js and
        spectorjs that production loads, and such packages in `dependencies` that only development uses. Script
        elements and addresses that load them, and builds with NODE_ENV=development, are reported.

    Why it matters:
        eruda alone is 500 kB that every user downloads, and it shows them tokens, requests and storage. Behind
        `import.meta.env.DEV` the bundler leaves out the import and all that hangs on it.
        Source: vite.dev/guide/env-and-mode, webpack.js.org/guides/production.

    What it changes:
        The import goes into `if (import.meta.env.DEV) { ... }`, or `process.env.NODE_ENV !== 'production'` under
        webpack, Next and react-scripts. Once every import in a package is guarded, the dependency moves to
        devDependencies together with its lines in pnpm-lock.yaml (version 9), package-lock.json (2 and 3) or bun.lock.

    When the fix is unsafe:
        Where a static import becomes a dynamic one, so that the console starts a moment later: it misses what is
        logged before, and react-scan and why-did-you-render run after React. Where several statements go under the
        guard.

    Leaves alone:
        Imports that are guarded; consoles behind any other condition, which are noted; type imports; tests, stories
        and configuration; peer, optional and bundled dependencies; lines marked `// perfmod: ignore[gate-dev-tools]`.
    """

    Options = Options
    languages = ("typescript", "tsx", "javascript", "html", "vue", "svelte")
    triggers = Triggers(tuple((name.encode(),) for name in CONSOLES))
    reviewed = ()
    scanners = ()
    judged = "perfmod.source.consoles.facts"
    spreads = False

    def __init__(self, options: Any) -> None:
        self.packages = frozenset((*CONSOLES, *options.packages))
        if options.packages:
            self.triggers = Triggers(tuple((name.encode(),) for name in sorted(self.packages)))

    def scan(self, source: Source) -> Iterator[Fact]:
        from perfmod.source.consoles.sites import console_facts

        yield from console_facts(source, self.packages)

    def judge(self, facts: Facts, project: Project) -> Iterator[Finding | Note]:
        from perfmod.source.consoles.facts import ConsoleAddress, ConsoleImport

        if any(facts.of(kind) for kind in (ConsoleImport, ConsoleAddress)):
            from perfmod.project.web.consoles import Judgement

            yield from Judgement("gate-dev-tools", facts, project).findings()
