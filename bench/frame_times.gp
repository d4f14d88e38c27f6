# What a game's frames spend on the model, and a robot's ticks: a point each. Called by frame_times.sh
# with game, robot and output set.
set terminal svg size 900,640 font "sans-serif,14" background "white"
set output output
set grid
set key below
set multiplot layout 2, 1
set title "A talking character: 2 ms of each frame"
set xlabel "frame"
set ylabel "ms"
set yrange [0:*]
plot game using 0:($1 / 1000) with points pt 7 ps 0.3 lc rgb "#00798c" title "of the model", \
  2 with lines lw 2 lc rgb "#d1495b" title "budget"
set title "A ternary policy at 1 kHz"
set xlabel "tick"
set ylabel "microseconds"
set logscale y
set yrange [1:*]
plot robot every 40 using ($0 * 40):($1 / 1000) with points pt 7 ps 0.2 lc rgb "#8d96a3" title "late (the system's timer)", \
  robot every 40 using ($0 * 40):($2 / 1000) with points pt 7 ps 0.2 lc rgb "#00798c" title "the network", \
  1000 with lines lw 2 lc rgb "#d1495b" title "a tick"
unset multiplot
