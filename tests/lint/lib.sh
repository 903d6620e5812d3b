# What the lints share. Sourced by each: goes to the top of the tree (LINT_TREE, for the self-test, or this one).
# shellcheck shell=sh
set -u
export LC_ALL=C
lint_dir=$(cd "$(dirname "$0")" && pwd)
lint_name=$(basename "$0")
cd "${LINT_TREE:-$lint_dir/../..}" || exit 1
lint_tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$lint_tmp"' EXIT

# c_files DIR...: every C file of ours in these folders, those of them that exist; not what an in-tree build made.
c_files() {
	for dir in "$@"; do
		[ ! -d "$dir" ] || find "$dir" -type f -name '*.[ch]' ! -name catalogue-data.c
	done | sort
}

# tree_files: every file of the tree that is not a build's.
tree_files() {
	find bootstrap .ci Makefile.am configure.ac ./*.md NEWS bench conf plugins server tests -type f ! -path '*/.deps/*' \
		! -name '*.pyc' ! -name '.dirstamp' ! -name '*.[oa]' ! -name '*.so' 2>/dev/null | sed 's|^\./||' | sort
}

# code FILES-ON-STDIN: their code as FILE:LINE:TEXT.
code() {
	xargs -d '\n' -r awk -f "$lint_dir/code.awk"
}

# Findings go into this file, one per line; verdict shows them and exits.
findings=$lint_tmp/findings
: >"$findings"

# finding EXPLANATION: takes lines FILE:LINE:TEXT from stdin.
finding() {
	awk -v why="$1" '{ print $0 "   <-- " why }' >>"$findings"
}

verdict() {
	if [ -s "$findings" ]; then
		sort -u "$findings"
		echo "$lint_name: $(sort -u "$findings" | wc -l) findings"
		exit 1
	fi
	exit 0
}
