"""The error of every picture that cannot be used."""


class BadImage(ValueError):
    """An input that cannot be used; the message is the reason, without the file's name."""
