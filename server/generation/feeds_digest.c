// Digests of files; see feeds_digest.h.
#include "generation/feeds_digest.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/infile.h"
#include "base/inputs.h"
#include "config/config.h"

enum { PIECE = 1 << 16 };

static bool is_feed(const struct config *config, const struct input *input)
{
	return !input->pattern &&
	       (input->kind != INPUT_CONFIG || (config->catalogue && strcmp(input->path, config->catalogue) == 0));
}

// E_STATE: it cannot be read to its end.
static int add_octets(struct digest *digest, int fd)
{
	char piece[PIECE];
	ssize_t len;

	while ((len = read(fd, piece, sizeof(piece))) != 0) {
		if (len > 0)
			digest_add(digest, piece, (size_t)len);
		else if (errno != EINTR)
			return E_STATE;
	}
	return E_OK;
}

// Of one file; E_STATE: it is not the one any more that was read.
static int digest_file(const struct input *input, uint8_t *ret_octets)
{
	char why[INFILE_WHY_LEN];
	struct input_stamp stamp;
	struct digest *digest;
	int fd = -1, err, ended;

	if (infile_open(input->path, &fd, why) < 0)
		return E_STATE;
	digest = digest_begin();
	err = digest ? add_octets(digest, fd) : E_NOMEM;
	close(fd);
	ended = digest ? digest_end(digest, ret_octets) : E_NOMEM;
	stamp = inputs_stamp(input->path, false);
	if (err == E_OK && !inputs_same_stamp(&stamp, &input->stamp))
		err = E_STATE;
	return err < 0 ? err : ended;
}

static int compare_octets(const void *a, const void *b)
{
	return memcmp(a, b, DIGEST_OCTETS);
}

// Of the files' digests, sorted: plugins read theirs side by side.
static int join_digests(uint8_t (*all)[DIGEST_OCTETS], size_t count, char *buf)
{
	struct digest *digest = digest_begin();
	uint8_t octets[DIGEST_OCTETS];
	int err;

	if (!digest)
		return E_NOMEM;
	if (count > 0)
		qsort(all, count, sizeof(*all), compare_octets);
	digest_add(digest, all, count * sizeof(*all));
	err = digest_end(digest, octets);
	if (err == E_OK)
		digest_text(octets, buf);
	return err;
}

int feeds_digest(const struct config *config, const struct inputs *inputs, char *buf)
{
	uint8_t(*all)[DIGEST_OCTETS] = calloc(inputs_count(inputs) + 1, sizeof(*all));
	size_t count = 0;
	int err = all ? E_OK : E_NOMEM;

	for (size_t i = 0; err == E_OK && i < inputs_count(inputs); i++) {
		const struct input *input = inputs_at((struct inputs *)inputs, i);

		if (is_feed(config, input))
			err = digest_file(input, all[count++]);
	}
	if (err == E_OK)
		err = join_digests(all, count, buf);
	else
		buf[0] = '\0';
	free(all);
	return err == E_STATE ? E_OK : err;
}
