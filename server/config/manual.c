// Writes edgesteer.yaml(5); see manual.h. Sections are in the order of the rows; text that belongs to no row is here.
#include "config/manual.h"

#include <stdbool.h>

#include "config/options.h"

static const char head[] =
	".Dd November 24, 2026\n"
	".Dt EDGESTEER.YAML 5\n"
	".Os\n"
	".Sh NAME\n"
	".Nm edgesteer.yaml\n"
	".Nd configuration of edgesteerd\n"
	".Sh DESCRIPTION\n";

static const char units[] =
	".Sh VALUES\n"
	".Bl -tag -width indent\n"
	".It duration\n"
	"Whole numbers of\n.Cm d , h , m , s , ms ,\nlarger ones first:\n.Ql 10s ,\n.Ql 1h30m .\n"
	".It latency\n"
	"A number of\n.Cm s , ms , us ,\nwith fraction and sign:\n.Ql 5ms ,\n.Ql 0.02ms ,\n.Ql \\-250us .\n"
	".It distance\n"
	"A number of\n.Cm km , m :\n.Ql 200km .\n"
	".It on or off\n"
	"Also\n.Cm true , false , yes , no .\n"
	".It list\n"
	"A list of one may be written without brackets.\nDuplicate entries are errors.\n"
	".It path\n"
	"Relative paths start in the folder of the file that contains them.\n"
	".El\n"
	".Pp\n"
	"A zero needs no unit.\nEvery scalar is read as its text: quotes make no difference.\n";

static const char tail[] =
	".Sh EXAMPLES\n"
	"One app at a Wavelength Zone in Boston, for clients of that carrier, and in its parent Region for all others:\n"
	".Bd -literal\n"
	"domains:\n"
	"  edge.example.com: {ns: [ns1.example.com, ns2.example.com]}\n"
	"locate:\n"
	"  - {plugin: ranges, file: carriers.csv}\n"
	"checks:\n"
	"  alb: {type: http, path: /healthz, interval: 10s, timeout: 2s}\n"
	"sites:\n"
	"  us-east-1-wl1-bos-wlz-1: {}\n"
	"  us-east-1: {}\n"
	"apps:\n"
	"  app.edge.example.com:\n"
	"    check: alb\n"
	"    targets:\n"
	"      us-east-1-wl1-bos-wlz-1: {addresses: [155.146.1.10], check-address: 10.0.5.20}\n"
	"      us-east-1: {addresses: [203.0.113.10, \"2001:db8::10\"]}\n"
	".Ed\n"
	".Pp\n"
	"Check a file before using it:\n"
	".Dl edgesteerd -t -c edgesteer.yaml\n"
	".Sh SEE ALSO\n"
	".Xr edgesteerctl 1 ,\n"
	".Xr edgesteerd 8\n";

// Writes text as mdoc: `words` in backquotes become bold, every sentence starts a line (roff sets the space between
// them), and nothing is read as a request.
static void print_text(FILE *out, const char *text)
{
	bool literal = false;

	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (; *text; text++) {
		if (*text == '`') {
			literal = !literal;
			fputs(literal ? "\\fB" : "\\fP", out);
		} else if (*text == '\\') {
			fputs("\\e", out);
		} else if (*text == '-') {
			fputs("\\-", out);
		} else if (*text == '.' && text[1] == ' ' && !literal) {
			fputs(".\n", out);
			text++;
		} else {
			fputc(*text, out);
		}
	}
}

static void print_default(FILE *out, const struct option *option)
{
	if (option->required) {
		fputs("Required.\n", out);
	} else if (option->fallback) {
		fputs("Default: \\fB", out);
		print_text(out, option->fallback);
		fputs("\\fP.\n", out);
	} else if (option->otherwise) {
		fputs("Default: ", out);
		print_text(out, option->otherwise);
		fputs(".\n", out);
	}
}

static void print_option(FILE *out, const struct option *option)
{
	char expects[SCHEMA_EXPECTS_MAX];

	fprintf(out, ".It Cm %s\n", option->key);
	print_text(out, option->help);
	fputs("\n", out);
	if (option->schema) {
		fprintf(out, "See\n.Sx %s .\n", option->schema->path);
		return;
	}
	fputs(".br\nExpects ", out);
	print_text(out, schema_expects(option, expects));
	fputs(".\n", out);
	print_default(out, option);
	if (option->restart)
		fputs(SCHEMA_RESTART "\n", out);
}

static void print_schema(FILE *out, const struct schema *schema)
{
	if (*schema->path)
		fprintf(out, ".Ss %s\n", schema->path);
	print_text(out, schema->intro);
	fputs("\n.Bl -tag -width indent\n", out);
	for (size_t i = 0; i < schema->option_count; i++)
		print_option(out, &schema->options[i]);
	fputs(".El\n", out);
	for (size_t i = 0; i < schema->option_count; i++)
		if (schema->options[i].schema)
			print_schema(out, schema->options[i].schema);
}

void manual_print(FILE *out)
{
	fputs(head, out);
	print_schema(out, &options_root);
	fputs(units, out);
	fputs(tail, out);
}
