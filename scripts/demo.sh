#!/bin/sh
# Build, run and plot the example sweep in simulation and on the simulated bench, join both; the last line is a report's
# path.
set -eu
cd "$(dirname "$0")/.."
simorc=.venv/bin/simorc
outcome=0
judged() { # COMMAND...: 1 means that it ran, but something is out of spec, which the report shows
    "$@" || {
        code=$?
        [ $code -eq 1 ] || exit $code
        outcome=1
    }
}
spice=$($simorc build pvt_tempco --target spice)
judged $simorc run "$spice"
bench=$($simorc build pvt_tempco --target bench)
judged $simorc run "$bench"
$simorc plot "$bench"
report=$($simorc plot "$spice")
judged $simorc compare "$spice" "$bench"
echo "$report"
exit $outcome
