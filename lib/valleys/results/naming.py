"""What names a result: its study, its spec, and what the code behind both computes."""

import dataclasses
import hashlib
import importlib
import json
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from valleys.results.code import class_at, classes, code_version, kind_of_spec, studies

Study = Callable[[Any], xr.Dataset]
KEY = "result_key"  # attribute: the JSON text that names a result
MODULE = "study_module"  # attribute: where the study was when it ran, which names nothing
# attribute: where the class of the spec was, if it is not the one that the study takes
KIND_MODULE = "spec_module"
DIGITS = 12  # in which numbers of a spec that were computed on two processors agree


@dataclass(frozen=True)
class Place:
    """Where code is that makes results: a study, and the class of its spec if that is another one
    than the study takes, each as `module:name`.

    A study takes the spec of one cell; the spec of a grid of them is of another class.
    """

    study: str
    kind: str = ""

    def version(self, library: Path | None = None) -> str | None:
        """Digest of what the code computes; None where the study names no class of spec that can be
        found.

        Args:
            library: folder of another copy of the package; that of this process if None.
        """
        cell = kind_of_spec(self.study, library)
        if cell is None:
            return None
        return code_version(tuple(filter(None, (self.study, cell, self.kind))), library)

    def function(self) -> Study:
        """The study."""
        return _imported(self.study)

    def spec(self, values: Mapping[str, Any]) -> Any:
        """The spec with these fields, as stored: an object that has checked itself."""
        cell = next(iter(typing.get_type_hints(self.function()).values()))
        return _built(_imported(self.kind) if self.kind else cell, values, cell)


@dataclass(frozen=True)
class Made:
    """What made a stored result.

    Attributes:
        study: its name.
        code: digest of what the code behind it computes.
        spec: the fields of its spec.
        kind: name of the class of the spec, if it is another one than the study takes, such as that
            of a grid.
        module: where the study was.
        kind_module: where that class was.
    """

    study: str
    code: str
    spec: dict[str, Any]
    kind: str = ""
    module: str = ""
    kind_module: str = ""

    @classmethod
    def of(cls, attributes: Mapping[str, Any]) -> "Made":
        """What the attributes of a stored result say.

        Raises:
            ValueError: they say nothing of the kind.
        """
        module, kind_module = (str(attributes.get(name, "")) for name in (MODULE, KIND_MODULE))
        try:
            return cls(**json.loads(attributes[KEY]), module=module, kind_module=kind_module)
        except (KeyError, TypeError, json.JSONDecodeError):
            raise ValueError("the attributes carry no key of a result") from None

    @property
    def key(self) -> str:
        """The JSON text that names the result."""
        named = {"study": self.study, "code": self.code, "spec": self.spec}
        named |= {"kind": self.kind} if self.kind else {}
        return json.dumps(named, sort_keys=True, allow_nan=False)

    @property
    def name(self) -> str:
        """Its file in a folder of results: `<study>/<hash of its key>.nc`."""
        return f"{self.study}/{hashlib.sha256(self.key.encode()).hexdigest()[:24]}.nc"

    @property
    def attributes(self) -> dict[str, str]:
        """What a stored result says of this."""
        return {KEY: self.key, MODULE: self.module} | (
            {KIND_MODULE: self.kind_module} if self.kind else {}
        )

    @property
    def rounded(self) -> Any:
        """What makes the result, with the numbers of its spec as far as processors agree."""
        return json.loads(self.key, parse_float=lambda text: f"{float(text):.{DIGITS}g}")

    @property
    def is_sampled(self) -> bool:
        """Whether random numbers may be drawn: the spec, or one within it, has a seed."""
        return '"seed":' in json.dumps(self.spec)

    def place(self, library: Path | None = None) -> Place | None:
        """Where its code is today, also after it moved; None if it is gone, or if several have its
        name.

        Args:
            library: folder of another copy of the package; that of this process if None.
        """
        study = self._known(self.module, self.study, kind_of_spec, studies, library)
        kind = self.kind and self._known(self.kind_module, self.kind, class_at, classes, library)
        return None if study is None or kind is None else Place(study, kind)

    @staticmethod
    def _known(
        module: str, name: str, look: Callable, search: Callable, library: Path | None
    ) -> str | None:
        """`module:name` if it is there, else the one place of this package that has the name."""
        if module and look(f"{module}:{name}", library):
            return f"{module}:{name}"
        found = search(library, name)
        return found[0] if len(found) == 1 else None

    def is_current(self) -> bool:
        """Whether the code that made the result computes what the code of today does."""
        place = self.place()
        return place is not None and self.code == place.version()

    def again(self) -> tuple[Study, Any]:
        """The study and the spec, as an object that has checked itself.

        Raises:
            ValueError: one of them is gone, or several have its name.
        """
        place = self.place()
        if place is None:
            raise ValueError(
                f"there is no study {self.study} with a spec {self.kind} any more, or "
                "more than one".replace("  ", " ")
            )
        return place.function(), place.spec(self.spec)


def made_by(study: Study, spec: Any) -> Made:
    """What names the result `study(spec)`, or that of a grid of such specs.

    Raises:
        ValueError: the study or the class of the spec lives in a notebook or inside another
            function.
    """
    for thing, what in ((study, "a function"), (type(spec), "a class")):
        if thing.__module__ == "__main__" or "<" in thing.__qualname__:
            raise ValueError(
                f"{thing.__qualname__} must be {what} of a module, so that its code can be hashed"
            )
    place, kind = _place_of(study), _place_of(type(spec))
    cell = kind_of_spec(place)
    another = "" if kind == cell else kind
    # a study may not say what it takes
    version = Place(place, another).version() or code_version((place, kind))
    module, _, name = another.partition(":") if cell else ("", "", "")
    fields = dataclasses.asdict(spec)
    return Made(study.__qualname__, version, fields, name, study.__module__, module)


def _place_of(thing: Any) -> str:
    return f"{thing.__module__}:{thing.__qualname__}"


def _imported(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def _built(hint: Any, value: Any, cell: type) -> Any:
    """A stored value as its annotation wants it; what is annotated by a variable for a kind of
    spec is a cell.
    """
    if isinstance(value, Mapping):
        kind = next(filter(_is_spec, (hint, *typing.get_args(hint), cell)))
        hints = typing.get_type_hints(kind)
        fields = {name: _built(hints.get(name), inner, cell) for name, inner in value.items()}
        return kind(**fields)
    if isinstance(value, list | tuple):
        inner = (*typing.get_args(hint), None)[0]
        return tuple(_built(inner, each, cell) for each in value)
    return value


def _is_spec(hint: Any) -> bool:
    return isinstance(hint, type) and dataclasses.is_dataclass(hint)
