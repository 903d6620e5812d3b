// The main() of a fuzz target built without a fuzzer: gives the target every seed, for `make check` and for looking
// into a finding by hand. Arguments are files or folders; without any, the target's own seeds are taken.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static unsigned replayed;

// A copy of exactly the input's size, so that AddressSanitizer sees the first octet read past it.
static int replay_file(const char *path)
{
	uint8_t *data = malloc(INPUT_MAX);
	FILE *file = data ? fopen(path, "rb") : NULL;

	if (!file) {
		perror(path);
		free(data);
		return -1;
	}

	size_t len = fread(data, 1, INPUT_MAX, file);

	fclose(file);

	uint8_t *exact = realloc(data, len ? len : 1);

	if (!exact) {
		free(data);
		return -1;
	}
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
	replayed++;
	return 0;
}

static int replay(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		perror(path);
		return -1;
	}
	if (!S_ISDIR(st.st_mode))
		return replay_file(path);

	struct dirent **entries;
	int count = scandir(path, &entries, NULL, alphasort);
	int status = count < 0 ? -1 : 0;

	for (int i = 0; i < count; i++) {
		char inner[4096];

		if (entries[i]->d_name[0] != '.') {
			snprintf(inner, sizeof(inner), "%s/%s", path, entries[i]->d_name);
			if (replay_file(inner) != 0)
				status = -1;
		}
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return status;
}

int main(int argc, char **argv)
{
	int status = 0;

	for (int i = 1; i < argc; i++)
		status |= replay(argv[i]);
	if (argc == 1) {
		const char *srcdir = getenv("srcdir");
		const char *name = strstr(argv[0], "fuzz_"); // .../fuzz_query takes tests/fuzz/seeds/query
		char seeds[4096];

		snprintf(seeds, sizeof(seeds), "%s/tests/fuzz/seeds/%s", srcdir ? srcdir : ".", name ? name + 5 : "");
		status = replay(seeds);
	}
	printf("%u inputs replayed\n", replayed);
	return status == 0 && replayed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
