#!/bin/sh
# Plots which weights of each layer a text leaves idle, of several models: tern inspect --activations.
#
# Usage: bench/activity.sh TERN TEXT OUT.svg MODEL...
set -eu
if [ $# -lt 4 ]; then
  sed -n '2,4s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
tern=$1 text=$2 output=$3
shift 3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tables=
for model in "$@"; do
  table=$folder/$(basename "$model")
  # The lines of layers and of all, without the headings.
  "$tern" inspect "$model" --activations "$text" | awk 'NR > 3' >"$table"
  tables="$tables $table"
done
gnuplot -e "output = '$output'; tables = '$tables'" "$(dirname "$0")/activity.gp"
