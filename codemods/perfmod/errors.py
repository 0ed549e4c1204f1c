"""User errors: one clear line and exit code 2, never a traceback."""


class PerfmodError(Exception):
    """Something that the user can mend. The message says what, where, and what to do next."""
