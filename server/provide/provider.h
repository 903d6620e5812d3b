// One entry of `providers`: the plugin's instance, the thread that provide() runs on, and what it is lent there. Its
// objects and its place among the others are provide.c's.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "config/config.h"
#include "plugin/instance.h"
#include "provide/changes.h"
#include "provide/inbox.h"
#include "provide/roll.h"

struct batch;

enum {
	PROVIDER_PARTS_MAX = 64,     // of a source, such as clusters, that are shown one by one
	PROVIDER_TEXT_LEN = 160,
	PROVIDER_ID_LEN = 96,
	PROVIDER_TOLD_MAX = 1024,    // refused objects that are logged one by one
};

// How a source, or a part of it, stands.
struct provider_part {
	char name[PROVIDER_TEXT_LEN]; // "": the source as a whole
	char text[PROVIDER_TEXT_LEN]; // why, in a few words
	enum edgesteer_source state;
	int64_t since_s;              // wall clock
};

// Under the mutex: written by the thread, read by the main thread.
struct provider_report {
	struct provider_part parts[PROVIDER_PARTS_MAX];
	size_t part_count;
	int64_t committed_s;          // when it last committed, wall clock; 0: never
	size_t refused;               // objects of the last whole list and the changes since
	char error[PROVIDER_TEXT_LEN]; // the last one it reported; "": none
	int64_t error_s;
	bool is_waiting;              // provide() has returned, and is called again after a while
};

struct provider {
	struct instance base;        // first: the plugin's pointer to what it is lent is also one to the struct provider
	char *key;                   // equal for equal entries
	char *plugin;                // its name
	char *file;                  // that the entry is in
	char id[PROVIDER_ID_LEN];    // in the store
	char label[INSTANCE_LABEL_LEN];
	struct inbox *inbox;
	struct inbox_sender sender;
	pthread_t thread;
	int stop_fd;
	_Atomic bool is_to_stop;     // also when a plugin has taken what is in stop_fd
	pthread_mutex_t mutex;
	struct provider_report report; // under the mutex
	// The thread's.
	struct batch *batch;         // what was put since the last commit; NULL: nothing
	uint64_t *told;              // of refused objects that were logged: hashes of key and reason
	size_t told_count;
	size_t refused, doubles;     // of the last whole list
	bool is_open;                // the instance is; the main thread's before the thread starts and after it has ended
	bool is_over;                // a limit was reached since the last commit
	// The main thread's.
	bool is_started, is_known;   // is_known: an equal entry was found again while a plan is made
	int64_t left_ms;             // since when it is to stop, monotonic; 0: it is not
	bool is_late;                // it has not stopped in time, which has been said
	struct roll roll;
	struct changes changes;      // of it, for the log
	size_t rank;                 // in the config
	unsigned grace_s;
	enum ready_rule rule;
	size_t line, column;         // of the entry
};

// Makes the key of an entry, for free(). NULL when out of memory.
char *provider_key(const struct config_provider *entry) MUST_USE;
// Loads the plugin and opens an instance. The key is copied. The inbox may be NULL if it is not to
// be started. E_INVAL (reported), E_IO (errno), E_NOMEM.
int provider_open(const struct config *config, const struct config_provider *entry, const char *key, struct inbox *inbox,
                  struct report *report, struct provider **ret_provider) MUST_USE;
// Frees one whose thread was not started or has been joined; its roll is empty. An instance that was never started is
// closed. Takes NULL; returns NULL.
struct provider *provider_free(struct provider *provider);

// False: there is no thread for it.
bool provider_start(struct provider *provider) MUST_USE;
// Tells the thread to return. It then closes the instance, and its last message arrives.
void provider_stop(struct provider *provider);
// A copy of the report. Main thread.
void provider_read_report(struct provider *provider, struct provider_report *ret_report);
