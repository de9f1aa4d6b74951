"""What goes wrong because of what a user gave."""


class BookError(Exception):
    """Something a user of the book can mend; the message says what and how, in one line."""
