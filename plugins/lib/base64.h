// Base64 (RFC 4648), for headers and JSON Web Tokens.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum base64_form {
	BASE64_PLAIN, // with +, / and padding
	BASE64_URL,   // with - and _, without padding
};

// Writes `len` octets, and a zero, into `buf`. The length of the text; 0: no room for all of it, or no octets.
size_t base64_write(char *buf, size_t size, const void *octets, size_t len, enum base64_form form);
