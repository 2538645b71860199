#!/usr/bin/env bash
# Runs each fuzzer (or those named) for so many seconds: fuzz.sh SECONDS [NAME...]. A finding ends it with status 1 and
# the input that caused it in build/fuzz/findings. Seeds: tests/fuzz_seeds/NAME, and real files where the assets are.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:?usage: ./dev fuzz SECONDS [NAME...]}
shift
assets=${SIGHTLINE_ASSETS:-../shared/assets}
mapfile -t programs < <(find build/fuzz -type f -name '*_fuzz' -perm -u+x | sort)
mkdir -p build/fuzz/findings
seeds_of() {  # asset folders that hold inputs of the fuzzer's kind
  case $1 in
    jpeg_*) find "$assets/images/decoder" -iname '*.jp*g' -size -40k ;;
    picture_* | sniff_*) find "$assets/images/decoder" -type f -size -20k ;;
    dicom_*) find "$assets/images/medical_dicom" -type f -size -60k ;;
    video_*) find "$assets/videos/codec" -type f -size -90k ;;
    onnx_* | external_*) find "$assets/models" -name '*.onnx' -size -300k ;;
    spec_*) find examples tests/bad_specs -name '*.yaml' ;;
  esac 2> /dev/null || true
}
status=0
for program in "${programs[@]}"; do
  name=$(basename "$program")
  if [ $# -gt 0 ] && [[ " $* " != *" $name "* ]]; then continue; fi
  corpus=build/fuzz/corpus/$name
  mkdir -p "$corpus"
  seeds_of "$name" | while read -r seed; do cp -n "$seed" "$corpus/seed-$(sha1sum < "$seed" | cut -c1-16)"; done
  [ -d "tests/fuzz_seeds/$name" ] && cp -n "tests/fuzz_seeds/$name"/* "$corpus/"
  echo "fuzz: $name for $seconds s, $(find "$corpus" -type f | wc -l) inputs to begin with"
  if ! ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 "$program" "$corpus" -max_total_time="$seconds" \
      -timeout=20 -rss_limit_mb=3000 -malloc_limit_mb=1500 -max_len=100000 -print_final_stats=1 \
      -artifact_prefix="build/fuzz/findings/$name-" > "build/fuzz/$name.log" 2>&1; then
    echo "fuzz: $name FOUND something: build/fuzz/findings, build/fuzz/$name.log" >&2
    tail -5 "build/fuzz/$name.log" >&2
    status=1
  else
    grep -E "stat::number_of_executed_units" "build/fuzz/$name.log" || tail -1 "build/fuzz/$name.log"
  fi
done
exit $status
