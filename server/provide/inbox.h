// What the providers' threads have for the main loop, in order. Bounded: a provider that is far ahead waits.
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "base/attr.h"

struct batch;
struct event_base;
struct inbox;
struct provider;

enum { INBOX_BATCHES_MAX = 2 }; // of one provider

struct inbox_sender;

struct inbox_message {
	struct inbox_message *next;
	struct inbox_sender *sender;
	struct batch *batch; // NULL: the provider's thread has ended, or is about to
};

// A provider, as far as the inbox is concerned. Zero-initialised, but for the provider, is valid.
struct inbox_sender {
	struct provider *provider;
	struct inbox_message last; // needs no memory when it is sent
	unsigned batches;          // on their way; under the inbox's mutex, as is what follows
	bool is_closed;            // nothing more is taken
};

struct inbox_ops {
	void *ctx;
	// On the main loop. The batch is the callee's; NULL: the provider's thread has ended, or is about to.
	void (*arrived)(void *ctx, struct provider *provider, struct batch *batch);
};

// E_IO, E_NOMEM.
int inbox_new(struct event_base *base, const struct inbox_ops *ops, struct inbox **ret_inbox) MUST_USE;
// No thread uses it any more, and there is nothing in it. Takes NULL; returns NULL.
struct inbox *inbox_free(struct inbox *inbox);

// On the provider's thread. Takes ownership of the batch in every case; waits while there are INBOX_BATCHES_MAX. E_STATE:
// the sender is closed, E_NOMEM.
int inbox_put(struct inbox *inbox, struct inbox_sender *sender, struct batch *batch) MUST_USE;
// The thread's last call. Never fails.
void inbox_end(struct inbox *inbox, struct inbox_sender *sender);

// On the main thread: whoever waits in inbox_put() returns.
void inbox_close(struct inbox *inbox, struct inbox_sender *sender);
// Handles what is there now.
void inbox_handle(struct inbox *inbox);
