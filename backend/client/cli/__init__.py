"""The parts of the command-line program `advisor`."""
