"""The child process that measures: `python -m retspec.engine.worker RECORDS_FD`. Nothing imports it.

It reads one job from standard input and streams records to the given descriptor, so that whatever the code under test
prints cannot be taken for a record. It ends when its supervisor does.
"""
