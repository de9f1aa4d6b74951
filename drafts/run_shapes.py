"""The cells of the noise shapes at paper size, start after start."""
import datetime
import time

import torch

torch.set_num_threads(1)
from valleys.nets.experiments.noise.noise_shapes import KINDS, NoiseShapesSpec, noise_shapes
from valleys.results.computing import compute

ORDER = ["none","reshuffled","isotropic","top_1","equal_freezing","independent","top_0","top_2","equal_lift","kept","reshuffled_before","top_1_before"]
assert set(ORDER) == set(KINDS)
for start in range(6):
    for kind in ORDER:
        t, c = time.time(), time.process_time()
        compute(noise_shapes, NoiseShapesSpec(dataset="mnist", start=start, kind=kind))
        print(datetime.datetime.now().strftime("%H:%M:%S"), start, kind, f"wall {time.time()-t:.0f} s, cpu {time.process_time()-c:.0f} s", flush=True)
