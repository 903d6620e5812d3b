// Reads one file of the state folder; see reader.h.
#include "state/reader.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "state/file.h"

int reader_json(int dir, const char *name, int version, json_t **ret_root)
{
	json_error_t error;
	int fd = -1, err = file_open(dir, name, &fd);

	if (err == E_IO)
		log_error("state file %s cannot be read: %s", name, strerror(errno));
	if (err == E_INVAL)
		log_error("state file %s is not a regular file of a size that can be", name);
	if (err < 0)
		return err;

	FILE *in = fdopen(fd, "r");

	if (!in) {
		close(fd);
		return E_NOMEM;
	}

	json_t *root = json_loadf(in, JSON_REJECT_DUPLICATES, &error);
	bool failed = ferror(in);

	fclose(in);
	if (failed) {
		log_error("state file %s cannot be read", name);
		json_decref(root);
		return E_IO;
	}
	if (!root && json_error_code(&error) == json_error_out_of_memory)
		return E_NOMEM;
	if (!root) {
		log_error("state file %s is damaged: line %d, column %d: %s", name, error.line, error.column, error.text);
		return E_INVAL;
	}

	const json_t *written = json_object_get(root, "version");

	if (json_is_integer(written) && json_integer_value(written) == version) {
		*ret_root = root;
		return E_OK;
	}
	if (json_is_integer(written))
		log_error("state file %s has version %lld, this edgesteerd reads %d", name,
		          (long long)json_integer_value(written), version);
	else
		log_error("state file %s is damaged: it has no version", name);
	json_decref(root);
	return E_INVAL;
}
