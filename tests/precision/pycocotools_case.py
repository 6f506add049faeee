#!/usr/bin/env python3
"""Writes case.json: made boxes, found ones, and what pycocotools and PASCAL's rules make of them.

    pip install pycocotools && python3 pycocotools_case.py > case.json

COCO's figures are those of pycocotools' COCOeval. PASCAL's are worked out below from the rules of its development kit, in fractions.
Edges are whole numbers of 256ths, so that every implementation has the same overlaps.
"""
import contextlib
import io
import json
import random
from fractions import Fraction

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

CLASSES = 5
SIDE = 256


def some_box(chance):
    w, h = (2 * chance.randint(6, 45) for _ in range(2))
    left, top = (2 * chance.randint(0, (SIDE - side) // 2) for side in (w, h))
    return [left, top, left + w, top + h]


def near(box, chance, far):
    """The box, moved and stretched by up to so much."""
    moved = [edge + 2 * chance.randint(-far, far) for edge in box]
    left, top = (min(max(edge, 0), SIDE - 4) for edge in moved[:2])
    right, bottom = (min(max(edge, low + 2), SIDE) for edge, low in zip(moved[2:], (left, top)))
    return [left, top, right, bottom]


def made(chance):
    pictures = []
    for number in range(24):
        there, found = [], []
        for cls in [0, 1, 2, 4]:
            for _ in range(chance.choice([0, 1, 1, 2, 4])):
                box = some_box(chance)
                there.append([cls] + box)
                if chance.random() < 0.3:
                    there.append([cls] + near(box, chance, 5))
        for cls, *box in there:
            if cls == 4:
                continue
            for _ in range(chance.choice([0, 1, 1, 1, 2])):
                score = round(chance.random(), 2)
                found.append([cls, score] + near(box, chance, chance.choice([0, 1, 2, 4, 8])))
        for _ in range(chance.choice([0, 1, 3])):
            found.append([chance.choice([0, 1, 2, 3]), round(chance.random() * 0.7, 2)] + some_box(chance))
        if number == 7:
            # More than count, the right one last.
            box = some_box(chance)
            there.append([0] + box)
            found += [[0, 0.5] + some_box(chance) for _ in range(105)] + [[0, 0.4] + box]
        chance.shuffle(found)
        pictures.append({"there": there, "found": found})
    return pictures


def coco(pictures):
    images = [{"id": n + 1, "width": SIDE, "height": SIDE} for n in range(len(pictures))]
    xywh = lambda b: [b[0], b[1], b[2] - b[0], b[3] - b[1]]
    truths, results = [], []
    for n, picture in enumerate(pictures):
        for cls, *box in picture["there"]:
            of = xywh(box)
            truths.append({"id": len(truths) + 1, "image_id": n + 1, "category_id": cls + 1, "bbox": of, "area": of[2] * of[3], "iscrowd": 0})
        for cls, score, *box in picture["found"]:
            results.append({"image_id": n + 1, "category_id": cls + 1, "score": score, "bbox": xywh(box)})
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {"images": images, "annotations": truths, "categories": [{"id": c + 1, "name": str(c)} for c in range(CLASSES)]}
        truth.createIndex()
        judge = COCOeval(truth, truth.loadRes(results), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    # Overlaps, recalls, classes, areas (all), boxes a picture (100).
    precision = judge.eval["precision"][:, :, :, 0, 2]
    of = lambda cls, part: float(part[..., cls].mean()) if part[..., cls].min() >= 0 else None
    each = lambda part: [of(cls, part) for cls in range(CLASSES)]
    figures = {"coco": each(precision), "coco50": each(precision[0]), "coco75": each(precision[5])}
    return figures, dict(zip(["coco", "coco50", "coco75"], map(float, judge.stats[:3])))


def overlap(a, b):
    w, h = (min(a[i + 2], b[i + 2]) - max(a[i], b[i]) for i in (0, 1))
    if w <= 0 or h <= 0:
        return Fraction(0)
    area = lambda box: (box[2] - box[0]) * (box[3] - box[1])
    return Fraction(w * h, area(a) + area(b) - w * h)


def pascal(pictures, cls):
    there = sum(of[0] == cls for picture in pictures for of in picture["there"])
    if not there:
        return None, None
    found = [(score, n, box) for n, picture in enumerate(pictures) for of, score, *box in picture["found"] if of == cls]
    found.sort(key=lambda one: -one[0])
    taken, right, points = set(), 0, []
    for count, (_, n, box) in enumerate(found, 1):
        own = [(overlap(box, truth[1:]), -index) for index, truth in enumerate(pictures[n]["there"]) if truth[0] == cls]
        most, index = max(own, default=(0, 0))
        if most >= Fraction(1, 2) and (n, index) not in taken:
            taken.add((n, index))
            right += 1
        points.append((Fraction(right, there), Fraction(right, count)))
    best = lambda least: max((p for r, p in points if r >= least), default=Fraction(0))
    eleven = sum(best(Fraction(t, 10)) for t in range(11)) / 11
    area = sum(Fraction(1, there) * best(Fraction(n, there)) for n in range(1, there + 1))
    return float(eleven), float(area)


pictures = made(random.Random(11))
classes, means = coco(pictures)
of_pascal = [pascal(pictures, cls) for cls in range(CLASSES)]
for number, name in enumerate(["voc2007", "voc2010"]):
    classes[name] = [of[number] for of in of_pascal]
    known = [of for of in classes[name] if of is not None]
    means[name] = sum(known) / len(known)
lines = ",\n    ".join(json.dumps(picture, separators=(",", ":")) for picture in pictures)
print(f'{{\n  "side": {SIDE},\n  "classes": {json.dumps(classes)},\n  "means": {json.dumps(means)},\n  "pictures": [\n    {lines}\n  ]\n}}')
