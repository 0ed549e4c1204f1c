"""Reads of files in one file, and what is done with them. Facts for load-once."""
