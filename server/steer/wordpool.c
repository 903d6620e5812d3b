// Blocks of words for the versions of a trie; see wordpool.h. The block at index 0 is taken from the start, so that 0 is none.
// A block's size is rounded up to two words; those of a size that are free are a list through their first words.
#include "steer/wordpool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"

enum { GRAIN = 2, CLASSES = WORDPOOL_BLOCK_MAX / GRAIN + 2, PAGE_CLASS = CLASSES - 1, FIRST = CACHE_LINE / sizeof(uint32_t) };

struct wordpool_block {
	uint32_t at, class_;
};

struct wordpool {
	pthread_mutex_t mutex;       // over all of it
	uint32_t *words;
	uint32_t cap, touched, taken; // touched: what is behind it has never been taken
	uint32_t free_[CLASSES];     // the first free block of each class; 0: none
	struct wordpool_version *first, *last; // by age, those that are left but have earlier ones too
	size_t listed;               // room in the lists of what was given up
};

static uint32_t class_of(size_t count)
{
	must(count > 0 && (count <= WORDPOOL_BLOCK_MAX || count == WORDPOOL_PAGE));
	return count == WORDPOOL_PAGE ? PAGE_CLASS : (uint32_t)((count + GRAIN - 1) / GRAIN);
}

static uint32_t size_of(uint32_t class_)
{
	return class_ == PAGE_CLASS ? WORDPOOL_PAGE : class_ * GRAIN;
}

// ---- versions -------------------------------------------------------------------------------------------------------

static struct wordpool *pool_free(struct wordpool *pool)
{
	if (!pool)
		return NULL;
	pthread_mutex_destroy(&pool->mutex);
	free(pool->words);
	free(pool);
	return NULL;
}

static struct wordpool *pool_new(size_t words)
{
	size_t lines = (FIRST + words) / FIRST + 1;
	struct wordpool *pool = lines * FIRST <= WORDPOOL_WORDS_MAX ? calloc(1, sizeof(*pool)) : NULL;

	if (!pool)
		return NULL;
	must(pthread_mutex_init(&pool->mutex, NULL) == 0);
	pool->cap = (uint32_t)(lines * FIRST);
	pool->touched = FIRST;
	pool->words = aligned_alloc(CACHE_LINE, lines * CACHE_LINE); // untouched, most of it is no memory yet
	if (!pool->words)
		return pool_free(pool);
	memset(pool->words, 0, FIRST * sizeof(*pool->words)); // what looks there finds nothing
	return pool;
}

// Under the mutex.
static struct wordpool_version *add_version(struct wordpool *pool)
{
	struct wordpool_version *version = calloc(1, sizeof(*version));

	if (!version)
		return NULL;
	version->pool = pool;
	version->words = pool->words;
	version->earlier = pool->last;
	if (pool->last)
		pool->last->next = version;
	else
		pool->first = version;
	pool->last = version;
	return version;
}

struct wordpool_version *wordpool_begin(size_t words)
{
	struct wordpool *pool = pool_new(words);
	struct wordpool_version *version = pool ? add_version(pool) : NULL;

	if (!version)
		pool_free(pool);
	else
		pthread_mutex_lock(&pool->mutex);
	return version;
}

struct wordpool_version *wordpool_succeed(struct wordpool_version *version)
{
	struct wordpool *pool = version->pool;
	struct wordpool_version *successor = NULL;

	pthread_mutex_lock(&pool->mutex);
	if (pool->last == version)
		successor = add_version(pool);
	if (!successor)
		pthread_mutex_unlock(&pool->mutex);
	return successor;
}

void wordpool_end(struct wordpool_version *version)
{
	pthread_mutex_unlock(&version->pool->mutex);
}

// Frees versions that are left, from the first on, with what they gave up: nobody has anything older. Under the mutex.
static void sweep(struct wordpool *pool)
{
	while (pool->first && pool->first->left) {
		struct wordpool_version *version = pool->first;

		for (uint32_t i = 0; i < version->count; i++) {
			const struct wordpool_block *block = &version->given_up[i];

			pool->words[block->at] = pool->free_[block->class_];
			pool->free_[block->class_] = block->at;
			pool->taken -= size_of(block->class_);
		}
		pool->listed -= version->cap;
		pool->first = version->next;
		free(version->given_up);
		free(version);
	}
	if (!pool->first)
		pool->last = NULL;
}

void wordpool_abandon(struct wordpool_version *version)
{
	struct wordpool *pool = version->pool;

	if (version->earlier)
		version->earlier->count = 0;
	pthread_mutex_unlock(&pool->mutex);
	wordpool_leave(version); // it stays the last one, so that there is no other
}

void wordpool_leave(struct wordpool_version *version)
{
	struct wordpool *pool = version ? version->pool : NULL;
	bool is_last;

	if (!pool)
		return;
	pthread_mutex_lock(&pool->mutex);
	must(!version->left);
	version->left = 1;
	sweep(pool);
	is_last = !pool->first;
	pthread_mutex_unlock(&pool->mutex);
	if (is_last)
		pool_free(pool);
}

// ---- blocks ---------------------------------------------------------------------------------------------------------

uint32_t wordpool_take(struct wordpool_version *version, size_t count)
{
	struct wordpool *pool = version->pool;
	uint32_t class_ = class_of(count), size = size_of(class_), at = pool->free_[class_];

	if (at) {
		pool->free_[class_] = pool->words[at];
	} else if (size <= pool->cap - pool->touched) {
		at = pool->touched;
		pool->touched += size;
	} else {
		return 0;
	}
	pool->taken += size;
	return at;
}

void wordpool_give_up(struct wordpool_version *version, uint32_t at, size_t count)
{
	struct wordpool_version *earlier = version->earlier;

	if (!earlier)
		return;
	if (earlier->count == earlier->cap) {
		uint32_t cap = earlier->cap ? earlier->cap * 2 : 64;
		struct wordpool_block *list = reallocarray(earlier->given_up, cap, sizeof(*list));

		if (!list)
			return;
		version->pool->listed += cap - earlier->cap;
		earlier->given_up = list;
		earlier->cap = cap;
	}
	earlier->given_up[earlier->count++] = (struct wordpool_block){at, class_of(count)};
}

static size_t read_locked(const struct wordpool_version *version, size_t (*read)(const struct wordpool *pool))
{
	size_t result;

	pthread_mutex_lock(&version->pool->mutex);
	result = read(version->pool);
	pthread_mutex_unlock(&version->pool->mutex);
	return result;
}

static size_t read_taken(const struct wordpool *pool)
{
	return pool->taken;
}

static size_t read_room(const struct wordpool *pool)
{
	return pool->cap - pool->taken;
}

static size_t read_touched(const struct wordpool *pool)
{
	return pool->touched;
}

static size_t read_bytes(const struct wordpool *pool)
{
	return sizeof(*pool) + pool->touched * sizeof(*pool->words) + pool->listed * sizeof(struct wordpool_block);
}

size_t wordpool_taken(const struct wordpool_version *version)
{
	return read_locked(version, read_taken);
}

size_t wordpool_room(const struct wordpool_version *version)
{
	return read_locked(version, read_room);
}

size_t wordpool_touched(const struct wordpool_version *version)
{
	return read_locked(version, read_touched);
}

size_t wordpool_bytes(const struct wordpool_version *version)
{
	return read_locked(version, read_bytes);
}
