// A state folder of each test's own; see statedir.h.
#include "statedir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "state/state.h"

char statedir_top[64], statedir[96];

int statedir_setup(void **unused)
{
	(void)unused;
	strcpy(statedir_top, "state-XXXXXX");
	assert_non_null(mkdtemp(statedir_top));
	snprintf(statedir, sizeof(statedir), "%s/d", statedir_top);
	return 0;
}

int statedir_teardown(void **unused)
{
	char command[128];

	(void)unused;
	snprintf(command, sizeof(command), "rm -rf %s", statedir_top);
	return system(command);
}

struct state *statedir_open(void)
{
	struct state *state = NULL;

	assert_int_equal(state_open(statedir, &state), E_OK);
	return state;
}

struct state *statedir_reopen(struct state *state)
{
	state_close(state);
	return statedir_open();
}

void statedir_write(const char *name, const char *text)
{
	char path[160];

	mkdir(statedir, 0750); // it may be there already
	snprintf(path, sizeof(path), "%s/%s", statedir, name);

	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

unsigned statedir_count(const char *beginning)
{
	DIR *folder = opendir(statedir);
	unsigned count = 0;

	assert_non_null(folder);
	for (struct dirent *entry; (entry = readdir(folder));)
		count += strncmp(entry->d_name, beginning, strlen(beginning)) == 0;
	closedir(folder);
	return count;
}
