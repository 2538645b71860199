"""The OpenCV side of bench/feed.py: what a careful user writes. Same commands as feed_bench. One thread."""
import json
import sys
import time

import cv2
import numpy as np


def tensor_of(path, side):
    with open(path, "rb") as file:
        picture = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_COLOR)
    height, width = picture.shape[:2]
    scale = min(side / width, side / height)
    size = (max(1, int(width * scale + 1e-6)), max(1, int(height * scale + 1e-6)))
    canvas = np.full((side, side, 3), 114, np.uint8)
    canvas[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return cv2.dnn.blobFromImage(canvas, scalefactor=1 / 255, swapRB=True)


def main():
    cv2.setNumThreads(1)
    side, files = int(sys.argv[1]), sys.argv[2:]
    for line in sys.stdin:
        words = line.split()
        if words[0] == "dump":
            tensor_of(files[int(words[1])], side).tofile(words[2])
            print("{}", flush=True)
        else:
            start, cpu_start = time.perf_counter(), time.process_time()
            for path in files:
                tensor_of(path, side)
            print(json.dumps({"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu_start}),
                  flush=True)


main()
