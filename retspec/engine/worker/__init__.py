"""The child process that measures: `python -m retspec.engine.worker RECORDS_FD`.

Nothing imports it but `retspec.engine.in_process`, which does its work where live objects are.

It reads instructions from standard input and writes records to the given descriptor, so that nothing that the code
under test prints can be mistaken for a record. It ends when its supervisor does.
"""
