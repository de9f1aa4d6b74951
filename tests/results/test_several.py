from types import SimpleNamespace

from valleys.results.several import several


def test_results_are_computed_together_and_asked_for_one_by_one():
    kept, asked = {}, []

    def load_or_compute_all(study, specs, *, executor=None):
        assert executor == "workers"
        kept.update({spec: study(spec) for spec in specs})

    def load_or_compute(study, spec):
        asked.append(spec)
        return kept[spec]

    store = SimpleNamespace(load_or_compute_all=load_or_compute_all, load_or_compute=load_or_compute)
    assert several(lambda spec: spec**2, [2, 3], store, executor="workers") == [4, 9]
    assert asked == [2, 3]
