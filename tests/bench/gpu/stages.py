"""Where the time of a single frame goes: medians of `infer`'s stages, and what no stage accounts for.

Example: RFSEG_TEST_ENGINES=engines RFSEG_TEST_VIDEOS=videos python tests/bench/gpu/stages.py nano shapes
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from gpu.material import frames_of, open_engine

for name in sys.argv[1:] or ["nano", "shapes"]:
    frames = frames_of(1080, 48)
    with open_engine(name) as segmenter:
        engine = segmenter.network_ms(200, 1, segmenter.info["min_batch"])
        rows = []
        for i in range(700):
            begin = time.perf_counter()
            result = segmenter.infer(frames[i % 48])
            middle = time.perf_counter()
            result.polygons()
            total, outlined = (middle - begin) * 1e3, (time.perf_counter() - middle) * 1e3
            rows.append(
                {**result.speed, "total": total, "polygons": outlined, "rest": total - sum(result.speed.values())}
            )
        rows = rows[100:]
        medians = {key: round(statistics.median(row[key] for row in rows), 3) for key in rows[0]}
        totals = sorted(row["total"] for row in rows)
        print(
            f"{name}: engine {engine:.3f}, p99/p50 {totals[-7] / totals[len(totals) // 2]:.2f}, {medians}", flush=True
        )
