#!/usr/bin/env python3
"""Writes preprocess_expected.txt: what src/stages/preprocess must give, by OpenCV's and numpy's own operations.

Resampling is cv2.resize on float samples (INTER_LINEAR; INTER_AREA where the factor is 2, 4 or 8), regions over the edge
are cv2.copyMakeBorder, colour is the inverse (numpy.linalg) of the matrix that defines YCbCr in ITU-T H.273.
Each case: one line of settings, one of values (RGB planes, sample levels 0..255).
usage: preprocess_reference.py   (needs python3-opencv)
"""
import pathlib

import cv2
import numpy as np

MATRICES = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}
PAD = 114.0


def pattern(width, height, seed):
    y, x = np.mgrid[0:height, 0:width]
    return ((x * x * 7 + y * y * 5 + x * y * 3 + x * 11 + y * 29 + seed * 53) % 256).astype(np.float32)


def to_rgb(y, cb, cr, matrix, limited):
    kr, kb = MATRICES[matrix]
    kg = 1 - kr - kb
    forward = np.array([[kr, kg, kb],
                        [-kr / (2 * (1 - kb)), -kg / (2 * (1 - kb)), 0.5],
                        [0.5, -kg / (2 * (1 - kr)), -kb / (2 * (1 - kr))]])
    planes = np.stack([y, cb, cr], -1).astype(np.float64)
    if limited:
        planes = (planes - [16, 128, 128]) / [219, 224, 224] * 255
    else:
        planes = planes - [0, 128, 128]
    return np.clip(planes @ np.linalg.inv(forward).T, 0, 255)


def resized(plane, size, reduction=1):
    if reduction > 1:
        height, width = plane.shape
        plane = cv2.resize(plane, (width // reduction, height // reduction), interpolation=cv2.INTER_AREA)
    return cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR)


def picture(form, width, height, size, matrix, limited, reduction):
    """The whole picture at `size`, RGB, float."""
    if form == "gray8":
        gray = resized(pattern(width, height, 0), size, reduction)
        gray = (gray - 16) / 219 * 255 if limited else gray
        return np.repeat(np.clip(gray, 0, 255)[..., None], 3, 2)
    if form == "rgb24":
        return np.stack([resized(pattern(width, height, c), size, reduction) for c in range(3)], -1)
    sub_x = 1 if form == "yuv444" else 2
    sub_y = 1 if form in ("yuv444", "yuv422") else 2
    assert width % sub_x == 0 and height % sub_y == 0
    planes = [resized(pattern(width, height, 0), size, reduction)]
    for c in (1, 2):
        chroma = pattern(width // sub_x, height // sub_y, c)
        if reduction > 1:  # to the resolution that luma has after averaging
            chroma = cv2.resize(chroma, (width // reduction, height // reduction), interpolation=cv2.INTER_AREA)
        planes.append(cv2.resize(chroma, size, interpolation=cv2.INTER_LINEAR))
    return to_rgb(*planes, matrix, limited)


CASES = []


def add(name, form, size, region, given, resize, anchor, values, matrix="bt601", limited=False, tolerance=0.02):
    CASES.append((f"{name} {form} {matrix} {'limited' if limited else 'full'} {size[0]} {size[1]} "
                  f"{' '.join(map(str, region))} {given[0]} {given[1]} {resize} {anchor} {tolerance}",
                  np.moveaxis(values, 2, 0).ravel()))


def stretch(name, form, size, given, reduction=1, matrix="bt601", limited=False):
    values = picture(form, *size, given, matrix, limited, reduction)
    add(name, form, size, (0, 0, *size), given, "stretch", "center", values, matrix, limited)


def boxed(name, size, side, anchor):
    """YOLOX's demo (top-left, int) and Ultralytics' LetterBox (centred, round)."""
    width, height = size
    scale = min(side / width, side / height)
    if anchor == "top_left":
        placed, left, top = (int(width * scale), int(height * scale)), 0, 0
    else:
        placed = (int(round(width * scale)), int(round(height * scale)))
        left, top = (int(round((side - extent) / 2 - 0.1)) for extent in placed)
    canvas = np.full((side, side, 3), PAD)
    canvas[top : top + placed[1], left : left + placed[0]] = picture("rgb24", *size, placed, "bt601", False, 1)
    add(name, "rgb24", size, (0, 0, *size), (side, side), "letterbox", anchor, canvas)


def over_the_edge(name, size, region, given):
    x1, y1, x2, y2 = region
    margin = 40
    whole = np.stack([pattern(*size, c) for c in range(3)], -1)
    whole = cv2.copyMakeBorder(whole, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    assert (x2 - x1, y2 - y1) == given  # at scale 1, as a resized cut would repeat its own edge
    add(name, "rgb24", size, region, given, "stretch", "center",
        whole[y1 + margin : y2 + margin, x1 + margin : x2 + margin])


def center_crop(name, size, side):
    """Shorter side to `side`, then the middle, as torchvision's Resize and CenterCrop do."""
    width, height = size
    scale = max(side / width, side / height)
    placed = (int(round(width * scale)), int(round(height * scale)))
    whole = picture("rgb24", *size, placed, "bt601", False, 1)
    left, top = (placed[0] - side) // 2, (placed[1] - side) // 2
    add(name, "rgb24", size, (0, 0, *size), (side, side), "center_crop", "center",
        whole[top : top + side, left : left + side])


stretch("enlarged", "rgb24", (7, 5), (12, 9))
stretch("reduced", "rgb24", (19, 13), (12, 9))
stretch("half", "rgb24", (24, 16), (12, 8), 2)
stretch("quarter", "rgb24", (48, 32), (12, 8), 4)
stretch("eighth", "rgb24", (96, 64), (12, 8), 8)
stretch("half_and_more", "rgb24", (38, 26), (12, 9), 2)
stretch("gray", "gray8", (19, 13), (12, 9))
stretch("gray_limited", "gray8", (19, 13), (12, 9), limited=True)
stretch("jpeg_420", "yuv420", (18, 14), (12, 9))
stretch("jpeg_420_half", "yuv420", (24, 16), (12, 8), 2)
stretch("jpeg_420_quarter", "yuv420", (48, 32), (12, 8), 4)
stretch("jpeg_422", "yuv422", (18, 14), (12, 9))
stretch("jpeg_422_half", "yuv422", (24, 16), (12, 8), 2)
stretch("jpeg_444", "yuv444", (19, 13), (12, 9))
stretch("video_709", "nv12", (18, 14), (12, 9), matrix="bt709", limited=True)
stretch("video_2020", "yuv420", (18, 14), (12, 9), matrix="bt2020", limited=True)
boxed("yolox", (17, 11), 12, "top_left")
boxed("ultralytics", (17, 11), 12, "center")
over_the_edge("over_the_edge", (15, 11), (-3, -2, 9, 7), (12, 9))
over_the_edge("over_the_far_edge", (15, 11), (8, 6, 20, 15), (12, 9))
center_crop("center_crop", (17, 13), 9)

with open(pathlib.Path(__file__).with_name("preprocess_expected.txt"), "w") as file:
    for settings, values in CASES:
        file.write(settings + "\n" + " ".join(f"{value:.3f}" for value in values) + "\n")
