#!/bin/sh
# Runs the game loop and the robot of examples/ and plots what their frames and ticks took.
#
# Usage: sh bench/frame_times.sh BUILD_FOLDER MODEL OUT_FOLDER
# Writes game.tsv, robot.tsv and, where gnuplot is, frame_times.svg; the programs' own summaries go to
# standard error.
set -eu

build=$1
model=$2
out=$3
here=$(cd "$(dirname "$0")" && pwd)

mkdir -p "$out"
TERN_GAME_TIMES=$out/game.tsv "$build/examples/game_loop" "$model" 20 > /dev/null
TERN_ROBOT_TIMES=$out/robot.tsv "$build/examples/robot" 20 > /dev/null
if command -v gnuplot > /dev/null; then
  gnuplot -e "game='$out/game.tsv'; robot='$out/robot.tsv'; output='$out/frame_times.svg'" \
    "$here/frame_times.gp"
fi
