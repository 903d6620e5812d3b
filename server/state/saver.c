// Writing at once and aside; see saver.h.
#include "state/saver.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "state/file.h"

int saver_write(int dir, const char *name, json_t *root)
{
	char *text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
	int err = text ? file_replace(dir, name, text, strlen(text)) : E_NOMEM;

	if (err < 0)
		log_error("state file %s cannot be written: %s", name, err == E_IO ? strerror(errno) : err_text(err));
	free(text);
	json_decref(root);
	return err;
}

static void *write_aside(void *ctx)
{
	struct saver *saver = ctx;

	saver->err = saver_write(saver->dir, saver->name, memory_to_json(&saver->copy, clock_wall_s()));
	atomic_store_explicit(&saver->written, true, memory_order_release);
	return NULL;
}

int saver_begin(struct saver *saver, const struct memory *memory, int dir, const char *name)
{
	sigset_t all, before;

	must(!saver->begun);
	if (table_copy(&memory->up, &saver->copy.up) < 0)
		return E_NOMEM;
	saver->dir = dir;
	saver->name = name;
	atomic_store_explicit(&saver->written, false, memory_order_relaxed);
	// Signals are the main loop's.
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	saver->begun = pthread_create(&saver->thread, NULL, write_aside, saver) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (saver->begun)
		return E_OK;
	table_done(&saver->copy.up);
	return E_NOMEM;
}

bool saver_busy(const struct saver *saver)
{
	return saver->begun && !atomic_load_explicit(&saver->written, memory_order_acquire);
}

int saver_end(struct saver *saver)
{
	if (!saver->begun)
		return E_OK;
	must(pthread_join(saver->thread, NULL) == 0);
	saver->begun = false;
	table_done(&saver->copy.up);
	return saver->err;
}
