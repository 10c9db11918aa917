#!/usr/bin/env bash
# Builds rfseg on a machine with a GPU and no network, and tests, sanitizes and measures it there.
#
#   run.sh PARTS build | test | kernels | sanitize [own] | bench | paced | soak | table [options of the script]
#
# PARTS holds opencv/ (a prefix with core and imgproc, static), tensorrt/ (libnvinfer.so.*), engines/ and videos/ (see
# tests/parity/conftest.py); the build goes to PARTS/work, the package to PARTS/site. python3 has torch, triton, numpy,
# OpenCV, onnxruntime, psutil, pytest, pybind11, scikit-build-core, cmake and ninja. Logs go to $OUT, or PARTS/logs.
set -euo pipefail
parts=$(cd "$1" && pwd)
part=$2
shift 2
root=$(cd "$(dirname "$0")/../../.." && pwd)
out=${OUT:-$parts/logs}
mkdir -p "$out"
tools="memcheck racecheck initcheck synccheck"

export PYTHONPATH=$parts/site${PYTHONPATH:+:$PYTHONPATH} PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
export RFSEG_TEST_ENGINES=$parts/engines RFSEG_TEST_VIDEOS=$parts/videos
library=("$parts"/tensorrt/libnvinfer.so.*)
export RFSEG_TENSORRT=${library[0]}

build() {
  # A copy, in which only what changed is written, so that a second build compiles only that.
  mkdir -p "$parts/work"
  (cd "$root" && find CMakeLists.txt pyproject.toml README.md LICENSE csrc triton_kernels python -type f \
    ! -name '*.so' ! -path '*/__pycache__/*' -print0) |
    while IFS= read -r -d '' file; do
      cmp -s "$root/$file" "$parts/work/$file" || install -D -m 644 "$root/$file" "$parts/work/$file"
    done
  (cd "$parts/work" && find csrc triton_kernels python -type f ! -path '*/__pycache__/*' -print0) |
    while IFS= read -r -d '' file; do [ -e "$root/$file" ] || rm "$parts/work/$file"; done
  rm -rf "$parts/site.new"
  (cd "$parts/work" && python3 -m pip install --quiet --disable-pip-version-check --no-index --no-deps \
    --no-build-isolation --target "$parts/site.new" --config-settings=cmake.define.RFSEG_OPENCV_PREFIX="$parts/opencv" .)
  rm -rf "$parts/site" && mv "$parts/site.new" "$parts/site"
  python3 -c 'import rfseg; print("built rfseg", rfseg.__version__, rfseg.__file__)'
}

# A plugin of the machine's pytest that warns would fail every test: warnings are errors here.
run_tests() {
  (cd "$root" && RFSEG_REQUIRE_GPU=1 PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 python3 -m pytest -p no:cacheprovider -q -r aP \
    --durations=15 tests/parity "$@")
}

kernels() {
  local images
  images=$(find "$parts/work" -name kernels.bin | head -1)
  (cd "$root" && python3 tests/kernels/run_on_gpu.py --kernels "$images")
}

# Every kernel is checked, TensorRT's too; `own` checks rfseg's alone, for a tool that is too slow or finds faults in
# TensorRT's. The tools run side by side: most of their time is spent on one processor.
sanitize() {
  local only=() tool failed=0 status logs=$parts/logs
  if [ "${1:-}" = own ]; then only=(--kernel-name 'regex=^(resize_|select|mask_|gather)'); fi
  mkdir -p "$logs"
  for tool in $tools; do
    (
      status=0
      timeout 150 compute-sanitizer --tool "$tool" "${only[@]}" --error-exitcode 9 --print-limit 20 \
        --ignore-getprocaddress-notfound python3 "$root/tests/bench/gpu/short_run.py" \
        "$parts/engines/shapes_fp16.plan" >"$logs/$tool.log" 2>&1 || status=$?
      echo $status >"$logs/$tool.status"
    ) &
  done
  wait
  for tool in $tools; do
    status=$(cat "$logs/$tool.status")
    grep -q 'short run done' "$logs/$tool.log" || status="$status, not finished"
    [ "$status" = 0 ] || failed=1
    echo "== $tool: exit $status"
    grep -E 'SUMMARY|compared|Error:|Assertion' "$logs/$tool.log" | tail -4 || true
    grep -oE ' at [A-Za-z_][A-Za-z0-9_]*' "$logs/$tool.log" | sort | uniq -c | sort -rn | head -5 || true
    echo "==== $tool" >>"$out/sanitizer_reports.txt"
    cat "$logs/$tool.log" >>"$out/sanitizer_reports.txt"
  done
  return $failed
}

# TensorRT's Python package lies in PARTS/bindings, the builder's libraries beside libnvinfer.
table() { (cd "$root" && PYTHONPATH=$PYTHONPATH:$parts/bindings python3 tests/bench/gpu/build_table.py "$@"); }

bench() { (cd "$root" && python3 tests/bench/bench_gpu.py --json "$out/bench.json" "$@"); }
paced() { (cd "$root" && python3 tests/bench/bench_paced.py "$@"); }
soak() { (cd "$root" && python3 tests/bench/soak_gpu.py "$@"); }

case $part in
  build) build ;;
  test) run_tests "$@" ;;
  kernels) kernels ;;
  sanitize) sanitize "$@" ;;
  bench) bench "$@" ;;
  paced) paced "$@" ;;
  soak) soak "$@" ;;
  table) table "$@" ;;
  *) sed -n '2,10p' "$0" >&2; exit 1 ;;
esac 2>&1 | tee "$out/$part.log"
