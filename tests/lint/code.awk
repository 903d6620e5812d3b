# Prints C files as FILE:LINE:TEXT with comments and the insides of strings blanked, for the lints that look at code
# only. A line whose comment says "lint-ok: REASON" is not printed: the rule is broken there on purpose.
FNR == 1 { in_comment = 0 }
/lint-ok: ./ { next }
{
	out = ""
	n = length($0)
	quote = ""
	for (i = 1; i <= n; i++) {
		c = substr($0, i, 1)
		two = substr($0, i, 2)
		if (in_comment) {
			if (two == "*/") { in_comment = 0; i++ }
		} else if (quote != "") {
			if (c == "\\") i++
			else if (c == quote) { quote = ""; out = out c }
		} else if (two == "//") break
		else if (two == "/*") { in_comment = 1; i++ }
		else {
			if ((c == "\"" || c == "'") && $0 !~ /^#[ \t]*include/) quote = c
			out = out c
		}
	}
	if (out !~ /^[ \t]*$/) print FILENAME ":" FNR ":" out
}
