"""The parts of scripts/fleet-bench."""
