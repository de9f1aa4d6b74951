"""The network experiments of the paper: each study is a function of one spec that returns a dataset."""

from valleys.nets.cells import plane_of, sweep, train_cell
from valleys.nets.continuation import continuation
from valleys.nets.endpoints import endpoints
from valleys.nets.specs import CellSpec, ContinuationSpec, EndpointsSpec, SweepSpec

__all__ = ["CellSpec", "ContinuationSpec", "EndpointsSpec", "SweepSpec", "continuation", "endpoints", "plane_of", "sweep", "train_cell"]
