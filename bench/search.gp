# Head rows of which a second and a third plane are read for the largest logit: the table that
# search_bench --agreement writes. Called with input and output set:
#
#     search_bench --agreement TEXT > search.tsv
#     gnuplot -e "input='search.tsv'; output='search.svg'" bench/search.gp
set terminal svg size 700,360 font "sans-serif,14" background "white"
set output output
set datafile separator "\t"
set style data histograms
set style fill solid 0.9 border -1
set boxwidth 0.8
set logscale y
set yrange [0.01:100]
set ylabel "% of the rows"
set grid y
set key top right
set title "Rows of a two-stage head that are read on"
plot input using 4:xticlabels(stringcolumn(1)."\n".stringcolumn(2)) skip 1 lc rgb "#00798c" title "second plane", \
  "" using 5 skip 1 lc rgb "#d1495b" title "third plane"
