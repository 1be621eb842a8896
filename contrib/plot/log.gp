# The EMF and the voltage of a TSV log over time, with gnuplot:
#   gnuplot -e "log='run.tsv'" contrib/plot/log.gp            # picture in the terminal
#   gnuplot -e "log='run.tsv'; png='run.png'" contrib/plot/log.gp
if (!exists("log")) log = 'run.tsv'
if (exists("png")) { set terminal png size 1000,700; set output png } else { set terminal dumb }
set datafile separator '\t'
set datafile missing 'nan'
set xdata time
set timefmt '%Y-%m-%dT%H:%M:%SZ'
set format x "%H:%M"
set xlabel 'UTC'
# A log that went on after a restart with other columns has another head; columns are those of the first.
head = system("grep -m1 '^t\t' ".log)
column_of(name) = int(system("printf '%s' '".head."' | tr '\t' '\n' | grep -nxF '".name."' | cut -d: -f1"))
rows = "< grep '^[0-9]' ".log
emf = column_of('xcs.emf')
sigma = column_of('xcs.emf_sigma')
volt = column_of('cell.v_V')
set multiplot layout 2,1
set ylabel 'EMF'
plot rows using 1:emf:sigma with yerrorbars title 'EMF, 1 sigma'
set ylabel 'V'
plot rows using 1:volt with lines title 'cell voltage'
unset multiplot
