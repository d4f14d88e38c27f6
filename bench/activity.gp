# Idle weights by layer, a panel a model. Called by activity.sh with output and tables set.
set terminal svg size 900,420 font "sans-serif,14" background "white"
set output output
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.9 noborder
set yrange [0:100]
set ylabel "idle, percent"
set xlabel "layer"
set grid ytics
set key outside bottom center horizontal
set multiplot layout 1, words(tables)
do for [table in tables] {
  name = system("basename ".table)
  set title name noenhanced
  plot table using 2:xtic(1) title "q, k, v" lc rgb "#8d96a3", \
    "" using 3 title "output" lc rgb "#00798c", \
    "" using 4 title "gate" lc rgb "#edae49", \
    "" using 5 title "up" lc rgb "#d1495b", \
    "" using 6 title "down" lc rgb "#30638e"
}
unset multiplot
