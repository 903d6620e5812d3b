#!/bin/sh
# A room includes only the rooms on its line below, every dependency listed there exists, and no module (a .c with its
# .h) includes itself, directly or indirectly. Plugins include only their interface and
# what they share (plugins/lib/), which includes only the interface. A file's own header comes first.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

# The arrows as they are, from the ground up: a room, and the rooms that its files include from besides its own.
cat >"$lint_tmp/arrows" <<'ARROWS'
base
wire        base
steer       base
schema      base wire
zone        base wire
view        base steer wire zone
answer      base steer view wire zone
net         answer base view wire
config      base schema steer
state       base
watch       base
http        base
resolve     base wire
health      base config http wire
plugin      base contract schema
discovery   base config plugin steer
provide     base config contract plugin schema state wire zone
learn       base config plugin steer view
generation  base config discovery http schema steer view wire zone
traffic     answer base steer view
control     answer base config health learn provide resolve schema state traffic view watch wire
door        base config control view
online      base config provide resolve steer view wire zone
daemon      base config contract control discovery door generation health learn net online provide resolve schema state steer traffic view watch wire
probe       base config generation health http schema
client      base lib schema
lib         contract
plugins     contract lib
ARROWS

c_files server plugins >"$lint_tmp/files"

# FILE:LINE:WHAT for every include in double quotes.
xargs -d '\n' -r awk '/^[ \t]*#[ \t]*include[ \t]*"/ { split($0, part, "\""); print FILENAME ":" FNR ":" part[2] }' \
	<"$lint_tmp/files" >"$lint_tmp/includes"

awk -F: -v list="$lint_tmp/files" -v arrows="$lint_tmp/arrows" '
BEGIN {
	while ((getline file < list) > 0)
		files[file] = 1
	while ((getline line < arrows) > 0) {
		n = split(line, room, " ")
		allowed[room[1]] = " "
		for (i = 2; i <= n; i++)
			allowed[room[1]] = allowed[room[1]] room[i] " "
	}
}
{
	n = split($1, part, "/")
	layer = part[1] == "plugins" ? (part[2] == "lib" ? "lib" : "plugins") : n == 2 ? "?" : part[2]
	beside = $1
	sub(/[^\/]*$/, $3, beside)
	if ($3 == "edgesteer-plugin.h")
		what = "contract"
	else if (part[1] == "plugins" && n > 2 && beside in files)
		next # within the folder of one plugin, or within lib/
	else if ($3 ~ /^[a-z]+\//)
		what = substr($3, 1, index($3, "/") - 1)
	else
		what = "?"
	here[layer] = 1
	used[layer, what] = 1
	if (!(layer in allowed))
		print $0 "   <-- no such room: " layer
	else if (what != layer && index(allowed[layer], " " what " ") == 0)
		print $0 "   <-- " layer "/ may include only:" allowed[layer]
}
END {
	for (layer in here) {
		n = split(allowed[layer], room, " ")
		for (i = 1; i <= n; i++)
			if (!((layer, room[i]) in used))
				print "tests/lint/layers.sh: " layer " -> " room[i] "   <-- an arrow that does not exist"
	}
}' "$lint_tmp/includes" >"$lint_tmp/wrong"
# The self-test has a few rooms of few files: there an arrow may be missing.
[ -z "${LINT_TREE-}" ] || [ -n "${LINT_STRICT-}" ] || sed -i '/an arrow that does not exist/d' "$lint_tmp/wrong"
cat "$lint_tmp/wrong" >>"$findings"

# Every .c is in a room.
grep -E '^server/[^/]*$' "$lint_tmp/files" | sed 's/$/:1:/' | finding "every file of the server has a room"

# The plugin interface includes nothing of the daemon.
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

# Circles of modules: tsort names the members of each.
sed -n -E 's|^server/([^:]+)\.[ch]:[0-9]+:(.*/.*)\.h$|\1 \2|p' "$lint_tmp/includes" | awk '$1 != $2' | tsort 2>&1 >/dev/null |
	sed -n 's/^tsort: //p' | grep -v '^-: input' | tr '\n' ' ' >"$lint_tmp/cycle"
if [ -s "$lint_tmp/cycle" ]; then
	echo "circle of modules: $(cat "$lint_tmp/cycle")" >>"$findings"
fi

verdict
