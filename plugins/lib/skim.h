// Cuts JSON documents out of a stream of octets, however they are divided, and leaves out what is too long to matter:
// a reader of a few fields of objects that others wrote needs bounded memory, and must lose none of the objects. It
// counts quotes and brackets only; the JSON parser that gets the documents decides whether they are valid.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { SKIM_DEPTH_MAX = 64 };

struct skim_limits {
	size_t text;     // a longer text becomes ""
	size_t nested;   // a longer object or array becomes null, if it is inside of `level` others
	unsigned level;
	size_t huge;     // a text that was longer is counted
	size_t document; // octets of a document without what was left out; more is an error
	uint64_t raw;    // octets of a document as it came; more is an error
};

struct skim {
	struct skim_limits limits;
	char *kept; // the document so far
	size_t len, cap;
	uint64_t raw;
	unsigned depth;               // open brackets
	unsigned skipping;            // the depth of the object or array that is being left out; 0: none
	size_t starts[SKIM_DEPTH_MAX + 1]; // where those open begin in `kept`, by depth
	size_t text_start;            // where the current text begins
	enum { SKIM_BETWEEN, SKIM_TEXT, SKIM_ESCAPE } in;
	int text_cut;                 // the current text is too long
	size_t text_len;              // its length as it came
	size_t left_out;              // how many values were, in this document
	size_t huge;                  // how many of them were huge texts, or objects or arrays
};

enum {
	SKIM_GARBAGE = -2000, // what is no JSON object, or is nested too deeply
	SKIM_LARGE,           // a document over its limits
	SKIM_NOMEM,
};

void skim_begin(struct skim *skim, const struct skim_limits *limits);

// Takes the next octets and calls each() for every document that is complete: `json`, of `len` octets and no final
// zero, is valid during the call, as is skim->left_out. Blanks are left out. Returns 0, the first result of each() that
// is not 0, or SKIM_*; after such a result only skim_end() may follow.
int skim_feed(struct skim *skim, const char *bytes, size_t len,
              int (*each)(void *ctx, const char *json, size_t len), void *ctx);

// Whether a document has begun and is not complete.
int skim_amid(const struct skim *skim);

// Releases what it has; it may begin again.
void skim_end(struct skim *skim);
