#!/bin/sh
# Every file of the tree is in Makefile.am, so that it is built, run and shipped; a folder's name in EXTRA_DIST is enough.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

# The words of Makefile.am outside its comments; $(srcdir)/ is the top.
sed -e 's/#.*//' -e 's|\$(srcdir)/||g' Makefile.am | tr -s '[:space:]\\=' '\n' | sort -u >"$lint_tmp/words"

tree_files | grep / >"$lint_tmp/files"
awk -v words="$lint_tmp/words" '
BEGIN {
	while ((getline word < words) > 0)
		listed[word] = 1
}
{
	what = $0
	if (what ~ /^tests\/(unit\/test|fuzz\/fuzz)_.*\.c$/)
		sub(/\.c$/, "", what) # a program named after its only source
	while (what != "" && !(what in listed))
		if (!sub(/\/[^\/]*$/, "", what))
			what = ""
	if (what == "")
		print $0 ":1:"
}' "$lint_tmp/files" | finding "not in Makefile.am"
verdict
