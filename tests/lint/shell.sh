#!/bin/sh
# Shell scripts pass shellcheck. Skipped where there is none.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

command -v shellcheck >/dev/null || { echo "no shellcheck here" && exit 77; }
tree_files | xargs -d '\n' -r awk '
	FNR == 1 && /^#! ?\/(usr\/)?bin\/(env )?(ba)?sh( |$)/ { print FILENAME } { nextfile }' >"$lint_tmp/files"
# 2016: awk programs are in single quotes, with their dollars.
xargs -d '\n' -r shellcheck -x -e SC2016 -f gcc <"$lint_tmp/files" >>"$findings"
verdict
