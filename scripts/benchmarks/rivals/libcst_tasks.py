"""What perfmod's supervise-tasks does in its simplest case, as a LibCST codemod."""

import libcst as cst
import libcst.matchers as m
from libcst.codemod import VisitorBasedCodemodCommand
from libcst.codemod.visitors import AddImportsVisitor

TASK = m.Call(m.Attribute(m.Name("asyncio"), m.Name("create_task") | m.Name("ensure_future")))


class SuperviseTasks(VisitorBasedCodemodCommand):
    """asyncio.create_task(...) as a statement becomes create_background_task(...)."""

    def leave_Expr(self, original_node: cst.Expr, updated_node: cst.Expr) -> cst.Expr:
        if not m.matches(updated_node.value, TASK):
            return updated_node
        AddImportsVisitor.add_needed_import(self.context, "background_tasks", "create_background_task")
        called = cst.ensure_type(updated_node.value, cst.Call)
        return updated_node.with_changes(value=called.with_changes(func=cst.Name("create_background_task")))
