// A tree of files in a folder of the test's own: written in place, replaced as operators' tools do, removed whole.
#pragma once

#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tempdir.h"

struct treefiles {
	char folder[TEMPDIR_LEN];
	char path[PATH_MAX]; // of the last call
};

static inline void treefiles_make(struct treefiles *tree)
{
	assert_int_equal(tempdir_make(tree->folder), 0);
}

static inline const char *treefiles_path(struct treefiles *tree, const char *name)
{
	snprintf(tree->path, sizeof(tree->path), "%s/%s", tree->folder, name);
	return tree->path;
}

// In place.
static inline void treefiles_write(struct treefiles *tree, const char *name, const char *text)
{
	FILE *file = fopen(treefiles_path(tree, name), "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static inline void treefiles_rename(struct treefiles *tree, const char *from, const char *to)
{
	char old[PATH_MAX];

	snprintf(old, sizeof(old), "%s/%s", tree->folder, from);
	assert_int_equal(rename(old, treefiles_path(tree, to)), 0);
}

// By another file that is renamed over it.
static inline void treefiles_replace(struct treefiles *tree, const char *name, const char *text)
{
	treefiles_write(tree, "replacement", text);
	treefiles_rename(tree, "replacement", name);
}

static inline void treefiles_folder(struct treefiles *tree, const char *name)
{
	assert_int_equal(mkdir(treefiles_path(tree, name), 0755), 0);
}

static inline void treefiles_link(struct treefiles *tree, const char *target, const char *name)
{
	assert_int_equal(symlink(target, treefiles_path(tree, name)), 0);
}

static inline int treefiles_remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

// A file, or a folder with all that is in it.
static inline void treefiles_remove(struct treefiles *tree, const char *name)
{
	assert_int_equal(nftw(treefiles_path(tree, name), treefiles_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static inline void treefiles_end(struct treefiles *tree)
{
	assert_int_equal(nftw(tree->folder, treefiles_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}
