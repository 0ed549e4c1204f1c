"""asyncio tasks in one file. Facts for supervise-tasks."""
