// Who resolves for us, and what it says; see recursor.h.
#include "online/recursor.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "wire/dns.h"

enum { PORT = 53, LINE_MAX_LEN = 1024 };

int recursors_add(struct recursors *recursors, const char *text)
{
	struct sockaddr_storage server;
	socklen_t len;

	if (addr_parse_endpoint(text, PORT, &server, &len) < 0)
		return E_INVAL;
	if (recursors->count == RECURSORS_MAX)
		return E_LIMIT;
	recursors->servers[recursors->count++] = server;
	return E_OK;
}

int recursors_add_system(struct recursors *recursors, const char *path)
{
	FILE *file = fopen(path, "re");
	char line[LINE_MAX_LEN], *rest;

	if (!file)
		return E_IO;
	// What is no address here, such as a link-local one with its zone, is left to the system.
	while (fgets(line, sizeof(line), file)) {
		const char *word = strtok_r(line, " \t\r\n", &rest), *address = strtok_r(NULL, " \t\r\n", &rest);

		if (word && address && strcmp(word, "nameserver") == 0 && recursors_add(recursors, address) == E_LIMIT)
			break;
	}
	fclose(file);
	return recursors->count > 0 ? E_OK : E_NOTFOUND;
}

int recursors_ask(const struct recursors *recursors, const struct wire_name *name, uint16_t type, int64_t deadline_ms,
                  struct message *ret_message, char why[static ASK_WHY_LEN])
{
	const struct question question = {.name = *name, .type = type, .recursive = true};
	char reason[ASK_WHY_LEN], rcode[ASK_WHY_LEN], server[ADDR_TEXT_LEN];
	int err = E_IO;

	snprintf(why, ASK_WHY_LEN, "there is no resolver to ask");
	for (size_t i = 0; i < recursors->count; i++) {
		addr_format_endpoint(&recursors->servers[i], server);
		err = ask(&recursors->servers[i], &question, deadline_ms, ret_message, reason);
		if (err == E_OK) {
			if (ret_message->rcode == DNS_NOERROR || ret_message->rcode == DNS_NXDOMAIN)
				return E_OK;
			snprintf(reason, sizeof(reason), "answers %s", ask_rcode(ret_message->rcode, rcode));
			message_done(ret_message);
			err = E_IO;
		}
		snprintf(why, ASK_WHY_LEN, "resolver %s: %.50s", server, reason);
	}
	return err;
}

size_t recursors_addresses(const struct recursors *recursors, const struct wire_name *host, int64_t deadline_ms,
                           struct addr *list, size_t max, char why[static ASK_WHY_LEN])
{
	static const uint16_t types[] = {DNS_A, DNS_AAAA};
	size_t count = 0;
	bool was_told = true;

	for (unsigned i = 0; i < sizeof(types) / sizeof(*types); i++) {
		const struct message_record *record;
		struct message message;
		size_t at = 0;

		if (recursors_ask(recursors, host, types[i], deadline_ms, &message, why) < 0) {
			was_told = false;
			continue;
		}
		// Of any owner: a resolver follows CNAMEs.
		while (count < max && (record = message_next(&message, MESSAGE_ANSWER, types[i], NULL, &at)))
			list[count++] = record->addr;
		message_done(&message);
	}
	if (count == 0 && was_told)
		snprintf(why, ASK_WHY_LEN, "has no address");
	return count;
}
