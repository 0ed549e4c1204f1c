"""What perfmod's supervise-tasks does in its simplest case, as a Fixit rule."""

import libcst as cst
import libcst.matchers as m
from fixit import LintRule

TASK = m.Call(m.Attribute(m.Name("asyncio"), m.Name("create_task") | m.Name("ensure_future")))


class SuperviseTasks(LintRule):
    """Keep a reference to a task."""

    def visit_Expr(self, node: cst.Expr) -> None:
        if m.matches(node.value, TASK):
            called = cst.ensure_type(node.value, cst.Call)
            replacement = called.with_changes(func=cst.Name("create_background_task"))
            self.report(node, "keep a reference to this task", replacement=node.with_changes(value=replacement))
