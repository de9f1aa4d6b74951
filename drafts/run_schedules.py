"""Compute the paper-size grids of noise_schedules, start by start; resumable."""
import time

import torch

torch.set_num_threads(1)
from valleys.nets.experiments.noise_schedules.courses import names
from valleys.nets.experiments.noise_schedules.study import NoiseScheduleSpec, noise_schedule
from valleys.results import store
from valleys.results.computing import compute
from valleys.results.grid import Grid

COMMON = dict(dataset="mnist", train_per_class=100, test_per_class=20, seed=0, device="cpu",
    batch_size=50, learning_rate=0.05, training_time=40.0, calm_batch_size=500, strong_batch_size=20,
    tail_batch_size=200, longest_tail=60.0, n_runs=8, threshold=0.1, levels=(0.03, 0.02, 0.014), window=20, stay=20)
OWN = dict(dataset="digits", train_per_class=30, test_per_class=20, seed=0, device="cpu", channels=(8, 16),
    batch_size=10, learning_rate=0.1, training_time=40.0, calm_batch_size=100, strong_batch_size=5,
    tail_batch_size=50, longest_tail=60.0, n_runs=4, threshold=0.1, levels=(0.02, 0.014, 0.01), window=30, stay=0)
SOME = ("constant", "cosine", "aware_rate", "aware_size")
def grid(budget, schedules, starts, values):
    return Grid.of(NoiseScheduleSpec, {"start": starts, "schedule": schedules}, budget=budget, **values)
def log(*words): print(time.strftime("%H:%M:%S"), *words, flush=True)
def main(n_starts=6):
    for start in range(n_starts):
        jobs = [("samples", names("samples"), COMMON), ("time", names("time"), COMMON)]
        for budget, schedules, values in jobs:
            for schedule in schedules:
                t = time.time(); c = time.process_time()
                store.load_or_compute(noise_schedule, grid(budget, (schedule,), (start,), values).cells()[0])
                log("start", start, budget, values["dataset"], schedule, f"{time.time()-t:.0f} s, {time.process_time()-c:.0f} s of processor")
    for start in range(4):
        for schedule in SOME:
            t = time.time(); c = time.process_time()
            store.load_or_compute(noise_schedule, grid("samples", (schedule,), (start,), OWN).cells()[0])
            log("own", start, schedule, f"{time.time()-t:.0f} s, {time.process_time()-c:.0f} s of processor")
    for budget in ("samples", "time"):
        compute(noise_schedule, grid(budget, names(budget), tuple(range(n_starts)), COMMON)); log("whole", budget)
    compute(noise_schedule, grid("samples", SOME, tuple(range(4)), OWN)); log("all done")
main()
