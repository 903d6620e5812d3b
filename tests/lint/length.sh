#!/bin/sh
# No function over 80 lines, no file over 600. What exceeds the soft limits of 50 and 500 is only listed.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

c_files server plugins bench tests >"$lint_tmp/files"

# House style: a function's body starts with { and ends with } in the first column.
xargs -d '\n' -r awk '
	FNR == 1 { begin = 0 }
	/^[a-z].*\(/ && !begin { name = $0 }
	/^\{/ { begin = FNR }
	/^\}/ && begin {
		lines = FNR - begin - 1
		if (lines > 50)
			print lines, FILENAME ":" begin ":" name
		begin = 0
	}' <"$lint_tmp/files" | sort -rn >"$lint_tmp/functions"
xargs -d '\n' -r wc -l <"$lint_tmp/files" | awk '$2 != "total" && $1 > 500 { print $1, $2 ":1:the whole file" }' |
	sort -rn >"$lint_tmp/long"

sed 's/^\([0-9]*\) \(.*\)/\2   (\1 lines)/' "$lint_tmp/functions" "$lint_tmp/long" >"$lint_tmp/info"
[ ! -s "$lint_tmp/info" ] || { echo "long, in order of length:" && cat "$lint_tmp/info"; }

awk '$1 > 80' "$lint_tmp/functions" | cut -d' ' -f2- | finding "a function has at most 80 lines"
awk '$1 > 600' "$lint_tmp/long" | cut -d' ' -f2- | finding "a file has at most 600 lines"
verdict
