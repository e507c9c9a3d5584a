#!/bin/sh
# Measure one cell of a spec by its number, from 0 on: `cell.sh SPEC NUMBER RESULTS.json [OPTION...]`.
# As many cells as `retspec plan SPEC --format json` lists.
set -eu
spec=$1 number=$2 results=$3
shift 3
cell=$(retspec plan "$spec" --format json | python3 -c '
import glob, json, sys
name = json.load(sys.stdin)[int(sys.argv[1])]["cell"]
print("[" + name[0] + "]" + glob.escape(name[1:]))  # this cell alone: without the pattern, r=1 is also in r=16
' "$number")
exec retspec run "$spec" --cell "$cell" --json "$results" "$@"
