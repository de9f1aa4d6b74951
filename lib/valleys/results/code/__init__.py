"""The code behind a result, as a digest of what it computes.

The idea: begin with the study and the class of its spec; follow every name in them to the function,
class or constant of this package that it stands for (`modules`), and so on, until nothing new is
reached (`reach`). Write each as its syntax tree, without what means nothing and with numbers for
names (`normal_form`). Add what acts on any of it while a module is imported (`effects`). The hash
of these texts is the digest (`digest`).

Means nothing: layout, comments, docstrings, annotations of functions, texts of errors, names of
files, functions, classes and local variables, the order of definitions. Whatever cannot be followed
counts as a whole: a module that is used as a value, and every module where code looks names up
while it runs.

`sources` finds and reads modules without importing them, `bindings` says which names a piece of
syntax binds, `definitions` looks for studies and classes by name.
"""

from valleys.results.code.definitions import class_at, classes, kind_of_spec, studies
from valleys.results.code.digest import code_version, reached
from valleys.results.code.sources import PACKAGE

__all__ = [
    "PACKAGE",
    "class_at",
    "classes",
    "code_version",
    "kind_of_spec",
    "reached",
    "studies",
]
