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

from valleys.results.code import code_version, kind_of_spec, studies

Study = Callable[[Any], xr.Dataset]
KEY = "result_key"  # attribute: the JSON text that names a result
MODULE = "study_module"  # attribute: where the study was when it ran, which names nothing
DIGITS = 12  # in which numbers of a spec that were computed on two processors agree


@dataclass(frozen=True)
class Made:
    """What made a stored result: the name of its study, the digest of the code behind it, the fields of its spec, and where the study was."""

    study: str
    code: str
    spec: dict[str, Any]
    module: str = ""

    @classmethod
    def of(cls, attributes: Mapping[str, Any]) -> "Made":
        """What the attributes of a stored result tell.

        Raises:
            ValueError: they tell nothing of the kind.
        """
        try:
            return cls(**json.loads(attributes[KEY]), module=str(attributes.get(MODULE, "")))
        except (KeyError, TypeError, json.JSONDecodeError):
            raise ValueError("the attributes carry no key of a result") from None

    @property
    def key(self) -> str:
        """The JSON text that names the result."""
        return json.dumps({"study": self.study, "code": self.code, "spec": self.spec}, sort_keys=True, allow_nan=False)

    @property
    def name(self) -> str:
        """Its file in a folder of results: `<study>/<hash of its key>.nc`."""
        return f"{self.study}/{hashlib.sha256(self.key.encode()).hexdigest()[:24]}.nc"

    @property
    def rounded(self) -> Any:
        """What makes the result, with the numbers of its spec as far as processors agree."""
        return json.loads(self.key, parse_float=lambda text: f"{float(text):.{DIGITS}g}")

    def place(self, library: Path | None = None) -> str | None:
        """Where the study is today, as `module:name`, also after it moved; None if it is gone, or if several have its name.

        Args:
            library: folder of another copy of the package; that of this process if None.
        """
        if self.module and kind_of_spec(f"{self.module}:{self.study}", library):
            return f"{self.module}:{self.study}"
        found = studies(library, self.study)
        return found[0] if len(found) == 1 else None

    def is_current(self) -> bool:
        """Whether the code that made the result computes what the code of today does."""
        place = self.place()
        return place is not None and self.code == version(place)

    def function(self) -> Study:
        """The study.

        Raises:
            ValueError: it is gone, or several have its name.
        """
        place = self.place()
        if place is None:
            raise ValueError(f"there is no study {self.study} any more, or more than one")
        return study_at(place)

    def spec_again(self) -> Any:
        """The spec, as an object that has checked itself."""
        return spec_for(self.function(), self.spec)


def study_at(place: str) -> Study:
    """The study that a place, `module:name`, names."""
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def spec_for(study: Study, values: Mapping[str, Any]) -> Any:
    """The spec of a study with these fields, as stored: an object that has checked itself."""
    kind = next(iter(typing.get_type_hints(study).values()))
    parts = typing.get_type_hints(kind)
    inner = {name: parts[name](**value) if dataclasses.is_dataclass(parts.get(name)) else value for name, value in values.items()}
    return kind(**inner)


def made_by(study: Study, spec: Any) -> Made:
    """What names the result `study(spec)`.

    Raises:
        ValueError: the study or the class of the spec lives in a notebook or inside another function, or the study takes another kind of spec.
    """
    for thing, what in ((study, "a function"), (type(spec), "a class")):
        if thing.__module__ == "__main__" or "<" in thing.__qualname__:
            raise ValueError(f"{thing.__qualname__} must be {what} of a module, so that its code can be hashed")
    place, kind = f"{study.__module__}:{study.__qualname__}", f"{type(spec).__module__}:{type(spec).__qualname__}"
    if kind_of_spec(place) not in (None, kind):
        raise ValueError(f"the study {study.__qualname__} takes a spec of the kind {kind_of_spec(place)}, not {kind}")
    return Made(study.__qualname__, code_version((place, kind)), dataclasses.asdict(spec), study.__module__)


def version(place: str, library: Path | None = None) -> str | None:
    """Digest of the code behind a study, `module:name`, and the class of its spec; None where it names no class that can be found."""
    kind = kind_of_spec(place, library)
    return code_version((place, kind), library) if kind else None
