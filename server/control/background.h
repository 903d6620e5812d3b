// One thread for work of the control room that grows with what is served: it reads what is published, and the main loop
// goes on meanwhile. Owned by the control socket; all functions are the main thread's.
#pragma once

#include "base/attr.h"

struct background;
struct event_base;

// A piece of work, part of whatever it belongs to.
struct background_job {
	struct background_job *next;             // private
	void (*work)(struct background_job *job); // on the thread, which is an online reader (live_read()) meanwhile
	void (*done)(struct background_job *job); // on the main loop afterwards; may free the job
};

// NULL when out of memory, descriptors or threads.
struct background *background_new(struct event_base *base) MUST_USE;
// Finishes all jobs with their done(), then stops the thread. Takes NULL; returns NULL.
struct background *background_free(struct background *background);

// Waits for the jobs that were started, and calls their done(), none of which starts another one. Takes NULL.
void background_settle(struct background *background);

// Starts `job`, whose two functions are set; it must stay until done(). Jobs run one after another. There is no limit:
// the caller has one for each request that it is answering.
void background_run(struct background *background, struct background_job *job);
