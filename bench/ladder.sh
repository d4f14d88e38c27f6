#!/bin/sh
# Measures decoding along the ladder of shapes and plots it beside the rates that others published.
#
# Usage: sh bench/ladder.sh TERN OUT_FOLDER [THREADS]
# TERN is the program. Writes ladder.tsv and, where gnuplot is, ladder.svg. The largest shape takes
# 8 GB of memory; set SHAPES to measure fewer.
set -eu

tern=$1
out=$2
threads=${3:-2}
here=$(cd "$(dirname "$0")" && pwd)
shapes=${SHAPES:-125m:0.125 350m:0.35 700m:0.7 1b:1 1.5b:1.5 2.7b:2.7 3.8b:3.8 7b:7 13b:13 30b:30}

mkdir -p "$out"
printf '# shape\tbillions\tdecode_tok_s\tMB_per_token\tGB_s\tbandwidth_share\tpeak_MiB\n' > "$out/ladder.tsv"
for entry in $shapes; do
  shape=${entry%%:*}
  "$tern" bench --shape "$shape" -p 0 -n 32 -t "$threads" --format json |
    node -e '
      const [line] = JSON.parse(require("fs").readFileSync(0, "utf8"));
      const [shape, billions] = process.argv.slice(1);
      console.log([shape, billions, line.decode_tok_s.toFixed(2),
        (line.bytes_per_token / 1e6).toFixed(1), line.bandwidth_gb_s.toFixed(1),
        line.bandwidth_share.toFixed(2), (line.peak_rss_bytes / 2 ** 20).toFixed(0)].join("\t"));
    ' "$shape" "${entry##*:}" | tee -a "$out/ladder.tsv"
done

if command -v gnuplot > /dev/null; then
  gnuplot -e "measured='$out/ladder.tsv'; published='$here/peers/published_ladder.tsv'; \
output='$out/ladder.svg'; threads='$threads'" "$here/ladder.gp"
fi
