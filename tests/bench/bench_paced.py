"""How old are results when many paced sources share one Segmenter, and what does it cost?

N sources of F frames a second, evenly spread in time; one loop submits each frame when it is due and hands out what is
ready. The age of a result runs from the moment its frame was due. Example:

    RFSEG_TEST_ENGINES=engines RFSEG_TEST_VIDEOS=videos python tests/bench/bench_paced.py --sources 32 --rate 25
"""

from __future__ import annotations

import argparse
import time
from collections import deque

import numpy as np
from gpu.material import ENGINES, frames_of, open_engine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", default="dynamic", choices=ENGINES)
    parser.add_argument("--sources", type=int, default=32)
    parser.add_argument("--rate", type=float, default=25)
    parser.add_argument("--seconds", type=float, default=12)
    options = parser.parse_args()
    frames = frames_of(1080, 48)
    count = int(options.seconds * options.rate * options.sources)
    with open_engine(options.engine) as segmenter:
        for result in segmenter.stream(frames * 4):
            result.polygons()
        ages, waiting = [], deque()
        before, busy, start = segmenter.info, time.process_time(), time.perf_counter() + 0.1
        for number in range(count):
            due = start + number / (options.rate * options.sources)
            while (left := due - time.perf_counter()) > 0:
                if waiting and waiting[0][0].done():
                    ticket, born = waiting.popleft()
                    ticket.result().polygons()
                    ages.append(time.perf_counter() - born)
                else:
                    time.sleep(min(left, 0.0005))
            waiting.append((segmenter.submit(frames[number % len(frames)], tag=number), due))
        for ticket, born in waiting:
            ticket.result().polygons()
            ages.append(time.perf_counter() - born)
        wall, after = time.perf_counter() - start, segmenter.info
        busy = time.process_time() - busy
    p50, p99 = 1e3 * np.percentile(ages, (50, 99))
    print(
        f"{options.sources} sources x {options.rate} frames/s: {len(ages)} of {count} results, age p50 {p50:.2f} ms,"
        f" p99 {p99:.2f} ms, {busy / wall:.2f} processors busy,"
        f" {(after['frames'] - before['frames']) / (after['batches'] - before['batches']):.2f} frames a batch"
    )
    assert len(ages) == count


if __name__ == "__main__":
    main()
