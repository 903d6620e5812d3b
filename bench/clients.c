// Reading client files; see clients.h.
#include "clients.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum { OPTION_ECS = 8 };

struct reader {
	const char *path;
	FILE *file;
	char *line;
	size_t size, number;
};

static int fail(const struct reader *reader, int err, const char *what)
{
	fprintf(stderr, "%s:%zu: %s\n", reader->path, reader->number, what);
	return err;
}

static int reader_open(struct reader *reader, const char *path)
{
	*reader = (struct reader){.path = path, .file = fopen(path, "r")};
	if (reader->file)
		return 0;
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	return E_IO;
}

static void reader_close(struct reader *reader)
{
	fclose(reader->file);
	free(reader->line);
}

// The next line that is not skipped, without its newline; NULL at the end of the file.
static char *reader_next(struct reader *reader)
{
	ssize_t len;

	while ((len = getline(&reader->line, &reader->size, reader->file)) >= 0) {
		reader->number++;
		while (len > 0 && strchr("\r\n \t", reader->line[len - 1]))
			reader->line[--len] = '\0';
		if (len > 0 && reader->line[0] != '#')
			return reader->line;
	}
	return NULL;
}

// Makes room for one more element, by doubling.
static void *grow(void *array, size_t count, size_t size)
{
	if (count & (count - 1))
		return array;
	return reallocarray(array, count ? count * 2 : 1, size);
}

static struct client encode(const struct prefix *prefix)
{
	uint8_t octets = (uint8_t)((prefix->len + 7) / 8);
	uint8_t option_len = (uint8_t)(4 + octets);
	struct client client = {.tail_len = (uint8_t)(2 + 4 + option_len)};
	const uint8_t head[] = {0, (uint8_t)(4 + option_len), 0, OPTION_ECS, 0, option_len,
	                        0, prefix->addr.family == ADDR_V4 ? 1 : 2, prefix->len, 0};

	memcpy(client.tail, head, sizeof(head));
	memcpy(client.tail + sizeof(head), prefix->addr.bytes, octets);
	return client;
}

static int read_lines(struct clients *clients, struct reader *reader, uint8_t v4_len, uint8_t v6_len)
{
	const char *line;

	while ((line = reader_next(reader))) {
		struct prefix prefix;
		bool whole = !strchr(line, '/');

		if (clients->count == CLIENTS_MAX)
			return fail(reader, E_LIMIT, "too many clients");
		if (prefix_parse(line, &prefix, NULL) < 0)
			return fail(reader, E_INVAL, "expected an address or a prefix");
		if (whole) {
			prefix.len = prefix.addr.family == ADDR_V4 ? v4_len : v6_len;
			prefix.addr = addr_cut(&prefix.addr, prefix.len);
		}

		struct client *list = grow(clients->list, clients->count, sizeof(*list));

		if (!list)
			return fail(reader, E_NOMEM, "out of memory");
		clients->list = list;
		list[clients->count++] = encode(&prefix);
	}
	return clients->count ? 0 : fail(reader, E_INVAL, "no client in the file");
}

int clients_read(struct clients *clients, const char *path, uint8_t v4_len, uint8_t v6_len)
{
	struct reader reader;
	int err = reader_open(&reader, path);

	if (err < 0)
		return err;
	err = read_lines(clients, &reader, v4_len, v6_len);
	reader_close(&reader);
	return err;
}

int clients_none(struct clients *clients)
{
	clients->list = calloc(1, sizeof(*clients->list));
	if (!clients->list)
		return E_NOMEM;
	clients->list[0].tail_len = 2; // RDLEN 0
	clients->count = 1;
	return 0;
}

static int read_expected(struct clients *clients, struct reader *reader, uint32_t client, size_t *count)
{
	char *line = reader_next(reader), *rest = NULL;

	if (!line)
		return fail(reader, E_INVAL, "fewer lines than there are clients");
	clients->expected[client].first = (uint32_t)*count;
	if (strcmp(line, "-") == 0)
		return 0;
	for (char *word = strtok_r(line, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
		struct addr *addresses = grow(clients->addresses, *count, sizeof(*addresses));

		if (!addresses)
			return fail(reader, E_NOMEM, "out of memory");
		clients->addresses = addresses;
		if (*count == UINT32_MAX || addr_parse(word, &addresses[*count]) < 0)
			return fail(reader, E_INVAL, "expected addresses, or - for none");
		++*count;
		clients->expected[client].count++;
	}
	return 0;
}

int clients_expect(struct clients *clients, const char *path)
{
	struct reader reader;
	size_t count = 0;
	int err = reader_open(&reader, path);

	if (err < 0)
		return err;
	clients->expected = calloc(clients->count, sizeof(*clients->expected));
	if (!clients->expected)
		err = E_NOMEM;
	for (uint32_t i = 0; i < clients->count && err == 0; i++)
		err = read_expected(clients, &reader, i, &count);
	if (err == 0 && reader_next(&reader))
		err = fail(&reader, E_INVAL, "more lines than there are clients");
	reader_close(&reader);
	return err;
}

void clients_done(struct clients *clients)
{
	free(clients->list);
	free(clients->expected);
	free(clients->addresses);
	*clients = (struct clients){0};
}

bool clients_expected(const struct clients *clients, uint32_t client, const struct addr *found)
{
	const struct expected *expected = &clients->expected[client];

	if (expected->count == 0)
		return found->family == ADDR_NONE;
	for (uint32_t i = 0; i < expected->count; i++)
		if (addr_equal(&clients->addresses[expected->first + i], found))
			return true;
	return false;
}
