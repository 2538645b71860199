"""YOLOX-nano on real pictures with OpenCV alone (full decode, bilinear resize in float, its own inference) and the numpy
decoder: the boxes that the whole program should find. Needs the test assets and python3-opencv; only numbers are kept."""
import json
import os
import sys

import cv2
import numpy as np

from reference import DATA
from yolox import decode

FOLDER = "images/coco/mediapipe_coco/images"
MODEL = "models/yolox_nano_416.onnx"
SIDE = 416


def detect(assets, picture_path):
    picture = cv2.imread(os.path.join(assets, picture_path))
    height, width = picture.shape[:2]
    scale = min(SIDE / width, SIDE / height)
    placed = (int(round(width * scale)), int(round(height * scale)))
    canvas = np.full((SIDE, SIDE, 3), 114, np.float32)
    canvas[:placed[1], :placed[0]] = cv2.resize(picture.astype(np.float32), placed, interpolation=cv2.INTER_LINEAR)
    net = cv2.dnn.readNetFromONNX(os.path.join(assets, MODEL))
    net.setInput(np.ascontiguousarray(canvas.transpose(2, 0, 1)[None]))
    out = net.forward()
    card = dict(min_score=0.3, iou=0.5)
    transform = dict(scale=[placed[0] / width, placed[1] / height], offset=[0, 0], input=[SIDE, SIDE], source=[width, height])
    found = [dict(box=[round(v, 2) for v in d["box"]], score=round(d["score"], 4), class_id=d["class_id"])
             for d in decode(out[0], (SIDE, SIDE), card, transform)]
    return dict(picture=picture_path, model=MODEL, min_score=0.3, iou=0.5, source=[width, height], detections=found)


def main():
    assets = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("SIGHTLINE_ASSETS", "../../../shared/assets")
    for name in sorted(os.listdir(os.path.join(assets, FOLDER))):
        found = detect(assets, FOLDER + "/" + name)
        path = os.path.join(DATA, "e2e_yolox_%s.json" % os.path.splitext(name)[0])
        with open(path, "w") as file:
            json.dump(found, file, separators=(",", ":"))
            file.write("\n")
        print(path, found["source"], [(d["class_id"], d["score"], d["box"]) for d in found["detections"]])


if __name__ == "__main__":
    main()
