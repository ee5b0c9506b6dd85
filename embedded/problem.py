"""What can go wrong on this machine."""


class Problem(Exception):
    """Its text is one sentence for the person at the terminal; everything started so far has been stopped."""
