#!/usr/bin/env bash
# Draws docs/faults.md and its pictures anew with the program itself: every kind of fault on the same simulated frame.
set -Eeuo pipefail
cd "$(dirname "$0")/.."
program=${SIGHTLINE_PROGRAM:-build/release/sightline}
out=docs/pictures/faults
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$out"
mkdir -p "$out"
"$program" simulate street --seed 21 --seconds 12 --fps 5 --size 480x270 --weather day -o "$work/street" -q
frame() { ffmpeg -v error -y -sseof -0.5 -i "$1" -frames:v 1 -q:v 4 "$2" < /dev/null; }
# Six frames one after the other, each with its time: from shortly before the onset at 4 s.
strip() {
  local label="drawtext=text='%{pts}':x=6:y=6:fontsize=20:fontcolor=white:box=1:boxcolor=black@0.6:boxborderw=4"
  ffmpeg -v error -y -i "$1" -vf "select='gte(t,3.5)',select='not(mod(n,$3))',scale=320:-2,$label,tile=6x1" \
    -fps_mode passthrough -frames:v 1 -q:v 4 "$2" < /dev/null
}
faulty() { "$program" simulate faults "$work/street/video.mp4" "$work/faulty.mp4" --fault "$1" -q < /dev/null; }
frame "$work/street/video.mp4" "$out/none.jpg"
{
  cat <<'HEAD'
# Faults

`sightline simulate faults IN OUT --fault FAULT…` does to any picture or video what a broken camera, a dirty lens or a bad line
would have done, so that alarms can be rehearsed on one's own footage. The same words work on `sightline run … --fault FAULT` (the
fault is done to every input before it is analysed), on `sightline simulate street … --fault FAULT`, and in a simulated camera's address
(`sim:street?seed=7&fault=smudge:severity=3,at=20s`).

    FAULT = KIND[:severity=1..5,at=TIME,ramp=TIME,for=TIME,region=REGION,seed=N]

* `severity`: 1 is hard to see, 3 (the default) is plain, 5 makes the picture useless.
* `at`: the onset, in video time (`20s`, `1500ms`, `2m`); `ramp`: from nothing to full strength; `for`: how long it lasts.
* `region`: whole, left, right, upper, lower, upper-left, upper-right, lower-left, lower-right, center, or `x1/y1/x2/y2` as shares of the picture.
* `seed`: another smudge, other droplets.

Several faults act in the order in which they are given. Beside the output lies the truth, `OUT.faults.jsonl`, one fault a line: kind,
severity, begin_s, full_s (after the ramp), end_s, region, seed.

The pictures below are made by the program (`bash scripts/fault_pictures.sh`): severity 3 and 5 of each kind on the same frame of a
simulated street. Kinds that need time (freeze, loop, frame_drop, clock_jump) leave single pictures alone; of them a strip of frames
with their times is shown, the fault beginning at 4 s. The times in a video file only rise: where a clock jumps back, the frames of a
file follow one another at once, while `sightline run --fault` sees the times as the broken clock gives them.

![no fault](pictures/faults/none.jpg)

HEAD
  "$program" simulate faults --list | while read -r kind description; do
    printf '## %s\n\n%s\n\n' "$kind" "$description"
    every=1
    case $kind in
      freeze | loop) every=2 ;;&
      freeze | loop | frame_drop | clock_jump)
        faulty "$kind:severity=4,at=4s"
        strip "$work/faulty.mp4" "$out/$kind.jpg" "$every"
        printf '![%s, severity 4](pictures/faults/%s.jpg)\n\n' "$kind" "$kind"
        ;;
      *)
        for severity in 3 5; do
          faulty "$kind:severity=$severity,at=1s"
          frame "$work/faulty.mp4" "$out/$kind-$severity.jpg"
        done
        printf '![%s, severity 3](pictures/faults/%s-3.jpg) ![severity 5](pictures/faults/%s-5.jpg)\n\n' "$kind" "$kind" "$kind"
        ;;
    esac
  done
} > docs/faults.md
echo "docs/faults.md and $(find "$out" -name '*.jpg' | wc -l) pictures: written"
