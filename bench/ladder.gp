# Decode rate against model size, both axes logarithmic: tern as measured here, the others as
# published. Called by ladder.sh with measured, published, output and threads set.
set terminal svg size 900,560 font "sans-serif,14" background "white"
set output output
set datafile separator "\t"
set datafile missing "?"
set logscale xy
set xlabel "parameters, billions"
set ylabel "tokens a second, decoding"
set xrange [0.1:130]
set xtics (0.125, 0.35, 0.7, 1, 1.5, 2.7, 3.8, 7, 13, 30, 70, 100)
set xtics rotate by -45
set yrange [1:2000]
set grid
set key top right samplen 2
set title "Ternary models of the same shapes, decode rate by size"
plot measured using 2:3 with linespoints lw 3 pt 7 ps 0.9 lc rgb "#d1495b" title "tern, ".threads." cores of a shared EPYC (47 GB/s)", \
  published using 1:2 with linespoints lw 1.5 pt 5 ps 0.7 lc rgb "#00798c" title "bitnet.cpp, Apple M2 Ultra (published)", \
  published using 1:4 with linespoints lw 1.5 pt 9 ps 0.8 lc rgb "#30638e" title "bitnet.cpp, i7-13700H (published)", \
  published using 1:3 with linespoints lw 1 dt 2 pt 4 ps 0.7 lc rgb "#8d96a3" title "llama.cpp F16, Apple M2 Ultra (published)", \
  published using 1:5 with linespoints lw 1 dt 2 pt 8 ps 0.8 lc rgb "#b8bec6" title "llama.cpp F16, i7-13700H (published)"
