"""What is noted of the machine that made a result."""

import pytest
import xarray as xr

from valleys.results import machine


@pytest.mark.parametrize(
    ("flags", "remark"), [("fpu avx2 avx512f", ""), ("fpu avx2", " without AVX-512"), (None, "")]
)
def test_processors_of_one_name_that_round_otherwise_have_two_names(
    tmp_path, monkeypatch, flags, remark
):
    lines = [
        "processor : 0",
        "model name\t: Some Model 7",
        *([f"flags\t\t: {flags}"] if flags else []),
        "",
        "processor : 1",
    ]
    monkeypatch.setattr(machine, "PROCESSORS", tmp_path / "cpuinfo")
    machine.PROCESSORS.write_text("\n".join(lines), encoding="utf-8")
    assert machine.processor() == f"Some Model 7{remark}"


def test_versions_are_those_that_are_imported():
    assert machine.versions()["xarray"] == xr.__version__
    assert machine.versions(("no-such-package",))["no-such-package"] == "not installed"
