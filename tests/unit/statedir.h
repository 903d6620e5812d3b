// A state folder of each test's own, for the tests of state/.
#pragma once

struct state;

extern char statedir_top[64]; // a new folder
extern char statedir[96];     // the state folder in it, which is not made yet

int statedir_setup(void **unused);
int statedir_teardown(void **unused);

struct state *statedir_open(void);
// As after a restart.
struct state *statedir_reopen(struct state *state);
// Into the folder, which is made where it is missing.
void statedir_write(const char *name, const char *text);
// Files whose names begin so.
unsigned statedir_count(const char *beginning);
