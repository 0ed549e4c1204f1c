"""Reads of files as the whole checkout says them: when they run, and what may be cached."""
