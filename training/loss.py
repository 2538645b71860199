"""Task-aligned assignment (Feng et al. 2021), quality as the target of the scores, GIoU for the boxes."""
import torch
from torch.nn import functional as F

from model import CLASSES, decode

TOP = 8


def overlap(a, b):
    """IoU and GIoU of boxes that broadcast."""
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    inner = (high - low).clamp(min=0).prod(-1)
    area = (a[..., 2:] - a[..., :2]).clamp(min=0).prod(-1) + (b[..., 2:] - b[..., :2]).clamp(min=0).prod(-1) - inner
    iou = inner / (area + 1e-6)
    hull = (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).prod(-1)
    return iou, iou - (hull - area) / (hull + 1e-6)


@torch.no_grad()
def assign(boxes, scores, centres, strides, targets):
    """Per cell: which target (or -1), its quality; and the cells that are of no concern.

    Works on a list of all targets of the batch and of the pairs of target and cell that come into question.
    """
    pictures, count = len(boxes), len(centres)
    measured = targets[..., 5] > 0
    picture, index = ((targets[..., 4] >= 0) & measured).nonzero(as_tuple=True)
    owner = torch.full((pictures, count), -1, dtype=torch.long)
    quality = torch.zeros(pictures, count)
    free = torch.zeros(pictures, count, dtype=torch.bool)
    unmeasured, which = ((targets[..., 4] >= 0) & ~measured).nonzero(as_tuple=True)
    if len(which):
        box = targets[unmeasured, which, :4]
        row, cell = within(box, centres).nonzero(as_tuple=True)
        free[unmeasured[row], cell] = True
    if not len(index):
        return owner, quality, free
    wanted, kind = targets[picture, index, :4], targets[picture, index, 4].long()
    middle, size = (wanted[:, :2] + wanted[:, 2:]) / 2, (wanted[:, 2:] - wanted[:, :2]).amax(-1)
    reach = torch.where(size[:, None] < 4 * strides, strides, torch.zeros(1))  # small ones have few centres inside
    allowed = within(wanted, centres, reach, middle)
    allowed &= (size[:, None] > 0.6 * strides) & (size[:, None] < 24 * strides)
    row, near = allowed.nonzero(as_tuple=True)
    iou = overlap(wanted[row], boxes[picture[row], near])[0]
    distance = ((centres[near] - middle[row]) / strides[near, None]).abs().amax(-1)
    score = scores[picture[row], near, kind[row]]
    metric = score.sqrt() * iou * iou * iou * iou + 2e-6 * torch.exp(-0.5 * distance * distance)
    table = torch.zeros(len(wanted), count)
    table[row, near] = metric
    best, cell = table.topk(TOP, -1)
    overlaps = torch.zeros(len(wanted), count)
    overlaps[row, near] = iou
    row = torch.arange(len(wanted))[:, None].expand_as(cell)
    iou = overlaps[row, cell] * (best > 0)
    share = best / best[:, :1].clamp(min=1e-12) * iou.amax(1, keepdim=True).clamp(min=0.05)
    # A cell belongs to the target that it fits best: written last, it stays.
    row, cell, best, share = row.reshape(-1), cell.reshape(-1), best.reshape(-1), share.reshape(-1)
    order = torch.argsort(best)
    order = order[best[order] > 0]
    place = (picture[row] * count + cell)[order]
    last = torch.zeros(pictures * count, dtype=torch.long)
    last.scatter_reduce_(0, place, torch.arange(1, len(order) + 1), "amax")
    taken = last.nonzero()[:, 0]
    winner = order[last[taken] - 1]
    owner.view(-1)[taken] = index[row[winner]]
    quality.view(-1)[taken] = share[winner]
    return owner, quality, free & (owner < 0)


def within(boxes, centres, reach=None, middle=None):
    x, y = centres[:, 0], centres[:, 1]
    inside = (x >= boxes[:, 0:1]) & (x <= boxes[:, 2:3]) & (y >= boxes[:, 1:2]) & (y <= boxes[:, 3:4])
    if reach is not None:
        inside |= ((x - middle[:, 0:1]).abs() < reach) & ((y - middle[:, 1:2]).abs() < reach)
    return inside


def loss(raw, centres, strides, targets, box_weight):
    raw = raw.float()
    boxes, logits = decode(raw, centres, strides), raw[..., 4:]
    owner, quality, free = assign(boxes.detach(), logits.detach().sigmoid(), centres, strides, targets)
    positive = owner >= 0
    pick = owner.clamp(min=0)
    kind = targets[..., 4].long().gather(1, pick).clamp(min=0)
    wanted_scores = F.one_hot(kind, len(CLASSES)) * quality[..., None]
    # Modulated as quality focal loss does, so that the many easy cells do not outweigh the few that matter.
    weight = (logits.detach().sigmoid() - wanted_scores).abs().pow(1.5) + 0.25 * wanted_scores
    score_loss = (F.binary_cross_entropy_with_logits(logits, wanted_scores, reduction="none") * weight)
    total = quality.sum().clamp(min=1)
    score_loss = (score_loss * (~free)[..., None]).sum() / total
    batch = torch.arange(len(raw))[:, None].expand_as(pick)[positive]
    wanted = targets[batch, pick[positive], :4]
    giou = overlap(boxes[positive], wanted)[1]
    share = quality[positive]
    box_loss = ((1 - giou) * (share + 0.05)).sum() / total
    return 2 * score_loss + box_weight * box_loss, score_loss.item(), box_loss.item()
