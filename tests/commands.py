"""The command line in this process: seconds of imports are paid once."""

from click.testing import CliRunner

from valleys.cli import main
from valleys.errors import BookError


def refused(*arguments: str) -> str:
    """The one line in which a command refuses its arguments.

    Raises:
        AssertionError: it does not, or not in one line.
    """
    result = CliRunner().invoke(main, arguments)
    assert isinstance(result.exception, BookError), result.exception or result.output
    message = str(result.exception)
    assert len(message.splitlines()) == 1, message
    return message
