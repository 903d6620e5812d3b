// One entry of `discovery`: the plugin's instance, the thread that look_up() runs on, the questions that are on their way
// and what came of them. The learner asks and collects; the plugin's thread takes and answers. They meet under a mutex that
// both hold for a few copies only.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/names.h"
#include "learn/breaker.h"
#include "learn/bucket.h"
#include "learn/opinion.h"
#include "plugin/chore.h"
#include "plugin/instance.h"

struct config;
struct config_discovery;
struct registrar;
struct report;

enum { INFORMANT_TEXT_LEN = 160, INFORMANT_APP_LEN = 256, INFORMANT_OUTCOMES = EDGESTEER_UNASKED + 1 };

// What is asked.
struct informant_question {
	struct addr addr;
	uint8_t prefix_len;
	bool is_direct;
	uint16_t port;                 // of a direct one; 0: not known
	char app[INFORMANT_APP_LEN]; // "": none
};

// What came of it. Texts are as the plugin gave them, cut and cleaned.
struct informant_answer {
	struct addr addr;          // that was asked about
	enum edgesteer_outcome outcome;
	char sites[FINDING_SITES_MAX][NAME_MAX_LEN + 1];
	unsigned site_count;
	char carrier[NAME_MAX_LEN + 1], class_[NAME_MAX_LEN + 1]; // "": it says nothing
	uint32_t lifetime_s, retry_s;
	char text[INFORMANT_TEXT_LEN];
};

// What has come of questions.
struct informant_totals {
	uint64_t asked, outcomes[INFORMANT_OUTCOMES];
	uint64_t unnamed;           // answers that were ignored, as there were too many names in such
};

struct informant_slot;

// Under the mutex.
struct informant_shared {
	struct informant_slot *slots; // `concurrency`
	unsigned *queue;            // those that wait to be taken, oldest first: a ring of as many
	unsigned queue_first, queue_count, busy;
	uint64_t questions;         // ever asked, for ids
	uint64_t unmatched;         // answers to what was not asked, or too late
	bool is_waiting;            // look_up() has returned, and is called again after a while
	char error[INFORMANT_TEXT_LEN]; // the last one; "": none
	int64_t error_s;
};

struct informant {
	struct instance base;       // first: the plugin's pointer to what it is lent is also one to the struct informant
	struct chore chore;
	char *key;                  // equal for equal entries
	char *plugin;
	char **carriers;            // owned
	size_t carrier_count;
	char label[INSTANCE_LABEL_LEN];
	struct registrar *registrar; // owned; NULL: nothing is registered
	bool is_registering;        // it is at work: the main thread's, under the learner's mutex
	unsigned rate, concurrency, timeout_ms;
	int question_fd;            // readable while something is queued
	int wake_fd;                // the learner's: there is an answer
	pthread_mutex_t mutex;
	struct informant_shared shared;
	char taken_app[INFORMANT_APP_LEN]; // of the question taken last: the plugin's thread's
	struct bucket sends;        // of requests: the plugin's thread's
	bool is_open;               // the instance is
	_Atomic bool has_ended;     // the thread has closed it
	// The learner's.
	struct bucket bucket;
	struct breaker breaker;
	uint16_t name;              // in the book
	struct informant_totals totals;
	unsigned names;             // that it has made up
};

// Adds `more`.
void informant_total(struct informant_totals *totals, const struct informant_totals *more);

// Makes the key of an entry, for free(). NULL when out of memory.
char *informant_key(const struct config_discovery *entry) MUST_USE;
// Loads the plugin and opens an instance. E_INVAL (reported), E_IO (errno), E_NOMEM.
int informant_open(const struct config *config, const struct config_discovery *entry, struct report *report,
                 struct informant **ret_service) MUST_USE;
// Frees one whose thread was not started or has been joined. Takes NULL; returns NULL.
struct informant *informant_free(struct informant *service);
// False: there is no thread for it. Answers are told at `wake_fd`.
bool informant_start(struct informant *service, int wake_fd, int64_t now_ms) MUST_USE;
// Tells the thread to end, and a registration that is under way.
void informant_stop(struct informant *service);
// Whether both have ended.
bool informant_has_ended(const struct informant *service);

// How many more may be under way.
unsigned informant_room(struct informant *service);
// Queues a question. There is room.
void informant_ask(struct informant *service, const struct informant_question *question, int64_t now_ms);
// Takes the next question that was answered, or whose time has run out. False: there is none.
bool informant_collect(struct informant *service, int64_t now_ms, struct informant_answer *ret_answer);
