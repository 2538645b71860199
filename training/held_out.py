"""The check with the program itself: clips of cameras that training never saw, detected and compared as users do it.

    python3 held_out.py FOLDER [--model street_detector] [--models ../models] [--clips 54]

Makes the clips where they are missing (each weather in turn, 15 frames each, two seconds apart), runs the model, and puts
everything into one truth and one result for `sightline eval`. Prints AP50 by class: of all that the truth asks for, by
weather, and of what is well in view. FOLDER/scores.json has the numbers.
"""
import argparse
import json
import pathlib
import subprocess

WEATHERS = ["day", "day,clouds", "day,rain", "day,fog", "dusk", "dusk,rain", "night", "night,rain", "night,fog"]
FIRST_SEED, FRAMES = 300001, 15
# Well in view: at least two thirds to be seen, 18 pixels high (at 640x360), as the "reasonable" part of CityPersons is.
VISIBLE, HIGH = 0.65, 18
# A low threshold, so that the curve has its tail; the card's is for use.
PIPELINE = "name: held_out\nsteps:\n  - {{id: objects, kind: detect, model: {}, min_score: 0.01}}\n"

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("--program", default="../build/release/sightline")
parser.add_argument("--model", default="street_detector")
parser.add_argument("--models", default="../models")
parser.add_argument("--clips", type=int, default=54)
args = parser.parse_args()


def run(*command):
    done = subprocess.run([args.program, *map(str, command)], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: {done.stderr}")
    return done.stdout


def detect(number):
    """The clip's folder, with what was found in it; the clip is made where it is missing."""
    clip = args.folder / str(FIRST_SEED + number)
    if not (clip / "video.mp4").exists():
        run("simulate", "street", "--seed", FIRST_SEED + number, "--seconds", 2 * FRAMES, "--fps", 0.5, "--weather",
            WEATHERS[number % len(WEATHERS)], "-q", "-o", clip)
    run("run", args.folder / "pipeline.yaml", "--models", args.models, clip / "video.mp4", "--workers", 1, "-q", "-o",
        clip / "found.jsonl")
    return clip


def score(name, clips, well_in_view=False):
    """AP50 by class of the clips together."""
    folder = args.folder / name
    folder.mkdir(exist_ok=True)
    truth, results = [], []
    for number, clip in enumerate(clips):
        for line in (clip / "gt.txt").read_text().splitlines():
            cells = line.split(",")
            if well_in_view and (float(cells[8]) < VISIBLE or float(cells[5]) < HIGH):
                cells[6] = "0"
            cells[0] = str(int(cells[0]) + number * FRAMES)
            cells[1] = str(int(cells[1]) + number * 100000)
            truth.append(",".join(cells))
        for line in (clip / "found.jsonl").read_text().splitlines():
            row = json.loads(line)
            row["frame"] += number * FRAMES
            row["source"] = "video.mp4"
            results.append(json.dumps(row))
    (folder / "gt.txt").write_text("\n".join(truth) + "\n")
    (folder / "labels.txt").write_text((clips[0] / "labels.txt").read_text())
    (folder / "found.jsonl").write_text("\n".join(results) + "\n")
    run("eval", "--truth", folder, "--results", folder / "found.jsonl", "--task", "detections", "--json", folder / "scores.json")
    found = json.loads((folder / "scores.json").read_text())["detections"]
    scores = {"mean": found["ap50"], "ap": found["ap"], "classes": {c["label"]: c["ap50"] for c in found["classes"]},
              "truths": {c["label"]: c["truths"] for c in found["classes"]}}
    percent = lambda value: "-" if value is None else f"{100 * value:.1f}"
    print(f"| {name} | " + " | ".join(percent(v) for v in [scores["mean"], *scores["classes"].values()]) + " |", flush=True)
    return scores


args.folder.mkdir(parents=True, exist_ok=True)
(args.folder / "pipeline.yaml").write_text(PIPELINE.format(args.model))
clips = [detect(number) for number in range(args.clips)]
print("| AP50, percent | mean | " + " | ".join((clips[0] / "labels.txt").read_text().split()) + " |")
scores = {"everything": score("everything", clips), "well in view": score("well in view", clips, True)}
for number, weather in enumerate(WEATHERS):
    scores[weather] = score(weather, clips[number::len(WEATHERS)])
(args.folder / "scores.json").write_text(json.dumps(scores, indent=1) + "\n")
print("| objects | | " + " | ".join(map(str, scores["everything"]["truths"].values())) + " |")
