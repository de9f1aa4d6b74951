"""How a package hands out its names: each is imported when it is first asked for, so that
`import valleys` loads nothing heavy.
"""

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module


def offering(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a package that offers some names.

    Args:
        package: its name.
        homes: as of `attribute`.
    """
    return partial(attribute, package, homes), partial(sorted, homes)


def attribute(package: str, homes: Mapping[str, str], name: str) -> object:
    """What a package offers under a name.

    Args:
        package: name of the package that is asked.
        homes: the module that defines each name; the name itself where it is a module.
        name: what is asked for.

    Raises:
        AttributeError: the package offers no such name.
        ModuleNotFoundError: a package that the name takes is not installed.
    """
    if name not in homes:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    try:
        module = import_module(homes[name])
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "valleys":
            raise
        extra = "[nets]" if ".nets" in homes[name] else ""
        way_out = f"install what it takes with `pip install '.{extra}'` in a clone"
        message = f"{package}.{name} needs {error.name}, which is missing; {way_out}"
        raise ModuleNotFoundError(message, name=error.name) from None
    return module if homes[name] == f"{package}.{name}" else getattr(module, name)
