#!/bin/sh
# Names and the shape of files: no struct typedefs, no _t of our own, #pragma once, a first sentence in every file.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

c_files server plugins bench tests >"$lint_tmp/files"
code <"$lint_tmp/files" >"$lint_tmp/code"

grep -E ':[[:space:]]*typedef (struct|union|enum)\>' "$lint_tmp/code" |
	finding "structs, unions and enums have no typedef"
grep -E ':(.*\<(struct|union|enum) [a-z0-9_]+_t\>|[[:space:]]*typedef .*[ *(][a-z0-9_]+_t\>[^a-z0-9_]*(;|\)\())' \
	"$lint_tmp/code" | finding "names ending in _t are the system's"

while read -r file; do
	first=$(head -n 1 "$file")
	case $first in
	"// "?*" "?*) ;;
	*) echo "$file:1:$first" | finding "a file begins with a // sentence: what it is, who calls it, what it owns" ;;
	esac
	case $file in
	*.h) grep -q '^#pragma once$' "$file" ||
		echo "$file:1:$first" | finding "a header has #pragma once" ;;
	esac
done <"$lint_tmp/files"

# One stem, one thing. `show` and `overrides` are two sides of the same verbs.
grep -E '^server/.*\.c$' "$lint_tmp/files" | awk -F/ '
	{ stem = $NF; if (stem in seen) print $0 ":1:" seen[stem]; seen[stem] = $0 }' |
	grep -v -E '/(main|show|overrides)\.c:' | finding "another file has this name"

# What a file of the server exports (functions defined there without static) begins with the layer's name or with a word
# of the name of a file in the layer: place.c has place_x and places_x. addr.c is also home to prefixes of addresses.
grep -E '^server/[a-z]+/[a-z0-9_]+\.c:[0-9]+:[a-z].*[ *][a-z0-9_]+\(' "$lint_tmp/code" |
	grep -v -E ':(static|typedef|extern|_Static_assert)\>|;$|=' |
	sed -n -E 's|^(server/([a-z]+)/([a-z0-9_]+)\.c:[0-9]+:)([^(]*[ *])?([a-z0-9_]+)\(.*|\1 \2 \5|p' |
	awk -v list="$lint_tmp/files" '
	BEGIN {
		words["base"] = "prefix"
		while ((getline file < list) > 0) {
			n = split(file, part, /[\/._]/)
			for (i = 2; i < n; i++)
				words[part[2]] = words[part[2]] " " part[i]
		}
	}
	{
		ok = 0
		n = split(words[$2], word, " ")
		for (i = 1; i <= n; i++)
			if (index($3, word[i]) == 1)
				ok = 1
		if (!ok)
			print $1 $3
	}' | finding "what a file exports begins with the name of the file"

verdict
