#!/bin/sh
# Banned calls, libraries used outside their own files, and slow calls on the fast side. A line that breaks a rule on
# purpose gives the reason: `// lint-ok: REASON`.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

c_files server plugins bench tests >"$lint_tmp/files"
code <"$lint_tmp/files" >"$lint_tmp/code"

# calls NAME...: an extended regular expression for calls of these functions.
calls() {
	echo "(^|[^A-Za-z0-9_.>])($(echo "$*" | tr ' ' '|'))[[:space:]]*\\("
}

# in_code PATHS REGEX: lines of code in files whose path matches PATHS.
in_code() {
	grep -E "^($1)" "$lint_tmp/code" | grep -E "^[^:]*:[0-9]*:.*$2"
}

# ---- everywhere ------------------------------------------------------------------------------------------------------

in_code '' "$(calls gets strtok alloca tmpnam tempnam mktemp setjmp longjmp gethostbyname inet_addr inet_ntoa localtime \
	gmtime ctime asctime)" | finding "unsafe or not reentrant: there is a better function"
# Tests build their own inputs, and AddressSanitizer watches them do it.
in_code 'server|plugins|bench' "$(calls sprintf vsprintf stpcpy strcat atoi atol atoll atof)" |
	finding "unchecked: there is a better function"
in_code 'server|plugins' "$(calls rand srand)" | finding "too weak, and one state for all: base/hash.h, getrandom()"
in_code 'server|plugins|bench' "$(calls strcpy)" | grep -v 'strcpy([^,]*,.*"")' | finding "strcpy is for literals only"
in_code 'server|plugins' "$(calls system popen)" | finding "no shell is ever run"
in_code 'server|plugins' "$(calls exit _exit _Exit quick_exit)" | grep -v -E '^server/(daemon|client|probe)/main\.c:' |
	finding "only main exits"
in_code 'server|plugins' "$(calls assert)" | finding "must() stays on in production, assert() does not"
in_code 'server|plugins' "$(calls abort)" | grep -v '^server/base/must\.c:' | finding "must() is the way to abort"

# ---- one door for each library ---------------------------------------------------------------------------------------

# door HEADERS DOORS: a header matching HEADERS is included only by files matching DOORS.
door() {
	in_code 'server|plugins' "#[[:space:]]*include[[:space:]]*<($1)" | grep -v -E "^($2):" |
		finding "this library's door is $2"
}

door 'ldns/' 'server/(zone/mnemonic|online/message)\.c'
door 'maxminddb' 'plugins/lib/mmdbtree\.[ch]'
door 'yaml\.h' 'server/schema/yaml\.c'
door 'ares\.h' 'server/resolve/asker\.c'
<<<<<<< HEAD
door 'curl/' '(server/(http|health|probe)/[a-z0-9_]+|server/client/(https|url)|plugins/lib/https)\.[ch]'
door 'pcre2' 'server/base/pattern\.c'
door 'sqlite3' 'server/state/store[a-z_]*\.[ch]'
door 'urcu' 'server/base/publish\.[ch]'
door 'openssl/' 'server/(base/digest\.c|answer/(sign|cookie)\.c|http/(ca_stores|identity)\.c|net/tls\.c|door/[a-z]+\.[ch])|plugins/lib/jwt\.c'
=======
door 'curl/' '(server/(http|health|probe)/[a-z0-9_]+|plugins/lib/https)\.[ch]'
door 'pcre2' 'server/base/pattern\.c'
door 'sqlite3' 'server/state/store[a-z_]*\.[ch]'
door 'urcu' 'server/base/publish\.[ch]'
door 'openssl/' 'server/(answer/(sign|cookie)\.c|http/(ca_stores|identity)\.c|net/tls\.c|door/[a-z]+\.[ch])|plugins/lib/jwt\.c'
>>>>>>> cc131b7 (health: method, headers, body, redirects, HTTP/2 and client certificates for HTTP checks)
door 'jansson' '(server/(schema|config|health|plugin|discovery|provide|state|control|door|online|daemon|client|probe)|plugins/(camara|exec|kubernetes|lib|verizon-eds))/[a-z0-9_]+\.[ch]'
door 'event2?[/.]' 'server/(net|http|resolve|watch|health|discovery|provide|learn|state|generation|control|door|online|daemon|probe)/[a-z0-9_]+\.[ch]'

# ---- the fast side ---------------------------------------------------------------------------------------------------

# Wire, answer, the zones as queries read them and the UDP loop allocate nothing, take no lock, write no log, read no wall clock; only what makes or
# frees a thing, x_new and x_free, may allocate: that is before the first query and after the last.
fast='server/wire/|server/answer/|server/zone/zone\.c|server/net/udp\.c'
awk -F: '
	$3 ~ /^[a-z]/ { name = $3; sub(/\(.*/, "", name) }
	name !~ /_(new|free)$/' "$lint_tmp/code" >"$lint_tmp/code.running"
mv "$lint_tmp/code.running" "$lint_tmp/code"
in_code "$fast" "$(calls malloc calloc realloc reallocarray aligned_alloc posix_memalign strdup strndup free)" |
	finding "the fast side allocates nothing"
in_code "$fast" "$(calls printf fprintf dprintf snprintf vsnprintf puts fputs fwrite log_line)" |
	finding "the fast side formats and logs nothing"
in_code "$fast" "$(calls time gettimeofday clock_gettime nanosleep usleep sleep)" |
	finding "the fast side reads no clock and never sleeps"
in_code "$fast" '(pthread_(mutex|rwlock|spin|cond)_|mtx_|cnd_)' | finding "the fast side takes no lock"
in_code "$fast" '#[[:space:]]*include[[:space:]]*"base/log\.h"' | finding "the fast side logs nothing"

verdict
