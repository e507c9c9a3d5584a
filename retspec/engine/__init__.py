"""The engine: a supervisor that runs worker processes, and the worker that measures."""
