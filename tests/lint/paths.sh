#!/bin/sh
# The tree runs in any folder: no absolute paths of a machine, and tests keep their files where mkdtemp puts them.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

tree_files | grep -v '^tests/lint/' >"$lint_tmp/files"

xargs -d '\n' -r grep -HnI -E '(^|[^A-Za-z0-9_.$)}/-])/(work|home|root|Users|mnt|media)/' <"$lint_tmp/files" |
	grep -v 'lint-ok: .' | finding "a path of one machine"
grep -E '^(tests|bench)/.*\.(c|h|py|sh)$' "$lint_tmp/files" |
	xargs -d '\n' -r grep -HnI -E '["'\''= ]/(tmp|var/tmp)(/|["'\'' ]|$)' |
	grep -v -E 'lint-ok: .|TMPDIR' | while IFS=: read -r file rest; do
		# The fallback of someone who asked for TMPDIR.
		grep -q TMPDIR "$file" || echo "$file:$rest"
	done | finding "temporary files go where mkdtemp (TMPDIR) says"
verdict
