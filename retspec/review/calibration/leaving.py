"""Why a limit stays as it is."""


class LeftAlone(Exception):  # noqa: N818 - never leaves this package
    """Nothing is written for a criterion; the message says why."""
