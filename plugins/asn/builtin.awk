# Makes builtin.c of conf/carriers.yaml and conf/wavelength-blocks.csv, in this order. Fails at a line it cannot read.

function fail(why) {
	printf "%s:%d: %s\n", FILENAME, FNR, why >"/dev/stderr"
	failed = 1
	exit 1
}

BEGIN {
	print "// Generated from conf/carriers.yaml and conf/wavelength-blocks.csv."
	print "#include \"asn/builtin.h\"\n"
	print "const struct builtin_asn builtin_asns[] = {"
}

/^[ \t]*(#|$)/ || $0 == "carriers:" || $0 == "prefix,site" {
	next
}

NR == FNR {
	if ($0 !~ /^  AS[1-9][0-9]*: [{]carrier: [a-z0-9-]+, access: (mobile|mixed)[}]$/)
		fail("expected a row such as `  AS6167: {carrier: verizon, access: mobile}`")
	gsub(/[{},:]/, " ")
	printf "\t{%su, \"%s\", %s},\n", substr($1, 3), $3, $5 == "mixed" ? "true" : "false"
	next
}

{
	if ($0 !~ /^[0-9a-f.:]+\/[0-9]+,[a-z0-9-]+$/)
		fail("expected PREFIX,SITE")
	sub(/,.*/, "")
	block[++blocks] = $0
}

END {
	if (failed)
		exit 1
	print "};\nconst size_t builtin_asns_count = sizeof(builtin_asns) / sizeof(builtin_asns[0]);\n"
	print "const char *const builtin_blocks[] = {"
	for (i = 1; i <= blocks; i++)
		printf "\t\"%s\",\n", block[i]
	print "};\nconst size_t builtin_blocks_count = sizeof(builtin_blocks) / sizeof(builtin_blocks[0]);"
}
