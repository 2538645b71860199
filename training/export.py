"""Writes the ONNX graph of a checkpoint: normalisation folded into the convolutions, pixels 0..255 in.

    python3 export.py model.pt ../models/street_detector/model.onnx
"""
import copy
import sys

import onnx
import torch
from torch import nn

from model import CLASSES, INPUT, Exported, StreetDetector


def fuse(module):
    """Convolution and normalisation in a row become one convolution."""
    for name, child in module.named_children():
        if isinstance(child, nn.Sequential) and len(child) >= 2 and isinstance(child[1], nn.BatchNorm2d):
            fused = nn.utils.fusion.fuse_conv_bn_eval(child[0], child[1])
            setattr(module, name, nn.Sequential(fused, *list(child)[2:]))
        else:
            fuse(child)


def export(model, path):
    model = copy.deepcopy(model).float().eval()
    fuse(model)
    model = model.to(memory_format=torch.contiguous_format)
    model.stem[0][0].weight.data /= 255  # training sees 0..1
    width, height = INPUT
    torch.onnx.export(Exported(model).eval(), torch.zeros(1, 3, height, width), path, opset_version=13,
                      input_names=["images"], output_names=["predictions"])
    graph = onnx.load(path)
    graph.graph.doc_string = ""
    for node in graph.graph.node:
        node.doc_string = ""
    entry = graph.metadata_props.add()
    entry.key, entry.value = "names", str(dict(enumerate(CLASSES)))
    onnx.checker.check_model(graph)
    onnx.save(graph, path)


if __name__ == "__main__":
    network = StreetDetector()
    if sys.argv[1] != "random":
        network.load_state_dict(torch.load(sys.argv[1], map_location="cpu")["ema"])
    export(network, sys.argv[2])
