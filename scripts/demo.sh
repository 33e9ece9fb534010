#!/bin/sh
# Build, run and plot the example sweep; the last line is the report's path.
set -eu
cd "$(dirname "$0")/.."
simorc=.venv/bin/simorc
run=$($simorc build pvt_tempco --target spice)
outcome=0
$simorc run "$run" || outcome=$?
[ $outcome -le 1 ] || exit $outcome # 1: ran, but something is out of spec, which the report shows
$simorc plot "$run"
exit $outcome
