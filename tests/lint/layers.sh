#!/bin/sh
# A layer includes only what stands left of it, plugins see only their contract, a file's own header comes first, and
# no file includes itself by any way round.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

c_files server plugins >"$lint_tmp/files"

# FILE:LINE:WHAT for every include in double quotes.
xargs -d '\n' -r awk '/^[ \t]*#[ \t]*include[ \t]*"/ { split($0, part, "\""); print FILENAME ":" FNR ":" part[2] }' \
	<"$lint_tmp/files" >"$lint_tmp/includes"

awk -F: -v list="$lint_tmp/files" '
BEGIN {
	while ((getline file < list) > 0)
		files[file] = 1
	allowed["base"] = "base"
	allowed["wire"] = "base wire"
	allowed["view"] = "base wire view"
	allowed["answer"] = "base wire view answer"
	allowed["net"] = "base wire view answer net"
	allowed["config"] = "base wire view config"
	allowed["health"] = "base wire view config health"
	allowed["discovery"] = "base wire view config health discovery plugin"
	allowed["state"] = "base wire view config health discovery state"
	allowed["control"] = "base wire view answer config health discovery state control"
	allowed["plugins"] = "plugin"
}
{
	n = split($1, part, "/")
	if (part[1] == "server" && n == 2)
		next # main.c and its like see everything
	layer = part[1] == "plugins" ? "plugins" : part[2]
	beside = $1
	sub(/[^\/]*$/, $3, beside)
	if ($3 == "edgesteer-plugin.h")
		what = "plugin"
	else if (layer == "plugins" && n > 2 && beside in files)
		next # within the folder of one plugin
	else if ($3 ~ /^[a-z]+\//)
		what = substr($3, 1, index($3, "/") - 1)
	else
		what = "?"
	if (!(layer in allowed))
		print $0 "   <-- no such layer: " layer
	else if (index(" " allowed[layer] " ", " " what " ") == 0)
		print $0 "   <-- " layer "/ may include only: " allowed[layer]
}' "$lint_tmp/includes" >>"$findings"

# The contract stands alone.
grep -Hn -E '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' plugins/edgesteer-plugin.h 2>/dev/null |
	finding "the contract includes only standard headers"

# Own header first.
while read -r file; do
	case $file in
	server/*.c)
		own=${file#server/}
		own=${own%.c}.h
		[ -f "server/$own" ] || continue
		first=$(grep -n -m1 -E '^[[:space:]]*#[[:space:]]*include' "$file")
		case $first in
		*"\"$own\""*) ;;
		*) echo "$file:${first%%:*}:${first#*:}" | finding "the file's own header comes first" ;;
		esac
		;;
	esac
done <"$lint_tmp/files"

# Cycles: tsort names the files of each.
sed -n -E 's|^([^:]+):[0-9]+:(.*/.*)$|\1 server/\2|p' "$lint_tmp/includes" | tsort 2>&1 >/dev/null |
	sed -n 's/^tsort: //p' | grep -v '^-: input' | tr '\n' ' ' >"$lint_tmp/cycle"
if [ -s "$lint_tmp/cycle" ]; then
	echo "include cycle: $(cat "$lint_tmp/cycle")" >>"$findings"
fi

verdict
