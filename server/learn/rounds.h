// The inside of the learner, for the files of this folder: learner.c has its thread and what others call, rounds.c what it
// does in a round.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "config/config.h"
#include "learn/book.h"
#include "learn/crowd.h"
#include "learn/facts.h"
#include "learn/informant.h"
#include "learn/observe.h"
#include "view/notes.h"

struct event;
struct learned;
struct learner_change;
struct live;
struct registration;
struct tables;
struct view;
struct wanted;

enum {
	ROUND_MS = 100,
	ROUND_NOTES = 16384,      // taken in a round
	LOOKS_A_SECOND = 20000,   // that workers make for notes, all together, about
	BUILD_PAUSE_MS = 20,      // between two overlays where answers have changed
	RETRY_PAUSE_MS = 1000,    // after one that could not be made
	PORT_MAX_AGE_MS = 20000,  // a NAT may give a port to another device soon (RFC 4787 section 4.3: 2 minutes, and fewer)
	GATHER_MAX = 10000,       // changes listed to be saved, with the mutex held
	SAVE_MAX = 2000,          // saved in one turn of the main loop
	SETTLE_MS = 3000, SETTLE_CHANGES = 4096, // see rounds_has_settled()
	SAVE_AGAIN = 1000,        // entries a second, after the wall clock was set
	TOLD_MAX = 256,           // different sites that are told to be out of reach or unknown
};

// An entry that is to be saved; one block of memory.
struct learner_change {
	struct learner_change *next;
	char prefix[ADDR_TEXT_LEN];
	bool is_gone;
	char text[];
};

struct learner_rules {
	struct book_rules book;
	unsigned tries;
	struct prefix *notes_from; // owned
	size_t notes_from_count;
};

// What is to be published, used.
struct overlays {
	struct tables *tables;     // that it is for; NULL: there is nothing
	struct learned *learned;   // NULL: nothing is learned
	struct wanted *wanted;     // NULL: nobody is asked about
};

struct learner {
	void *save_ctx;             // see struct learner_ops
	void (*save)(void *ctx, const char *prefix, const char *text);
	void (*trim)(void);
	struct event *arrived;      // an overlay is to be published
	int arrived_fd, wake_fd;
	unsigned workers;
	pthread_t thread;
	bool is_started, is_stopped, is_late; // is_late: a thread has not ended in time
	struct learner_change *saving; // the main thread's, to be saved, the first one first
	struct registration *registration; // the main thread's; NULL: none is under way
	_Atomic bool is_to_stop, has_stopped;
	pthread_mutex_t mutex;      // over all that follows
	struct learner_rules rules;
	struct book *book;
	struct crowd *crowd;
	struct notes *notes;        // NULL until the thread starts
	struct informant *services[DISCOVERY_MAX], *leaving[4 * DISCOVERY_MAX];
	size_t service_count, leaving_count;
	struct overlays ready;      // for the main thread
	size_t overlay_octets;      // of what is there for workers
	struct learner_change *changes; // to be saved by the main thread, the latest first
	struct observe observe;
	uint64_t unbelieved, out_of_reach, unknown_sites;
	uint64_t short_subnets;     // notes of client subnets that are shorter than what is learned
	struct informant_totals gone; // of services that are no more
	unsigned imported_names;    // of classes that nothing else names
	uint64_t unnamed;           // findings of sites that there were no numbers left for
	uint64_t told[TOLD_MAX];
	size_t told_count;
	uint64_t random;
	// The thread's, of the view that it saw last.
	uint16_t *masks;            // of services, by carrier
	const struct tables *masks_of;
	uint64_t plans, masks_plan; // learner_take() so far; that the masks are of
	struct facts_regions regions;
	struct learned *overlay;    // the latest one, which the next one is made from; NULL: that is made anew
	struct wanted *wanted;      // likewise; NULL: nobody is asked about
	bool has_failed;            // the latest ones could not be made: workers have older ones, and it is tried again
	int64_t second_ms, built_ms;
	int64_t stepped_s;          // clock_stepped_s() that all of the book is saved by, but for
	size_t to_save_again;       // so many of the first entries
	uint64_t built_version;
	const struct tables *built_of;
	uint64_t built_plan, built_epoch; // of exploring
	int64_t looked_ms;          // of rounds_has_settled(), as the next
	uint64_t looked_version, settled_version;
	struct notes_pace pace;
	int wait_ms;                // until the next round, if nobody wakes it
};

// One round, with the mutex held, on the learner's thread, which is an online reader.
void rounds_turn(struct learner *learner, const struct live *live, int64_t now_ms, int64_t now_s);
// Lists an entry to be saved by the main thread, behind what is listed already; NULL: nothing of the prefix is to be kept. Out
// of memory, it is not saved.
void rounds_save(struct learner *learner, const struct prefix *prefix, const struct book_entry *entry);
// Lists what of the book has changed, to be saved, up to GATHER_MAX of it. Returns whether there is more.
bool rounds_gather_changes(struct learner *learner);
// Whether it is to be told that what `source` says of a site cannot be used: once.
bool rounds_is_news(struct learner *learner, const char *source, const char *site, const char *why);
// The book's number of a site of the config. E_LIMIT, which is counted and told once; E_NOMEM.
int rounds_name_site(struct learner *learner, const char *site, uint16_t *ret_number) MUST_USE;
// Whether another overlay is needed for the view, or another table of who is wanted.
bool rounds_wants_overlay(const struct learner *learner, const struct view *view, int64_t now_ms);
// Whether SETTLE_CHANGES or more of what queries may see have changed since it said so last, and hardly any in the last SETTLE_MS:
// a file has been imported, what was saved has been restored, all was forgotten.
bool rounds_has_settled(struct learner *learner, int64_t now_ms);
