"""Requests as the whole checkout says them: who repeats them already, and where a retry method goes."""
