// What the kernel says of this process, for its metrics.
#pragma once

#include <stdint.h>

struct process {
	uint64_t cpu_ms;           // of user and system
	uint64_t resident, mapped; // octets
	uint64_t open_fds, max_fds;
	uint64_t threads;
};

// Reads /proc; what it does not tell is 0, but for the descriptors, of which none is left when it cannot be opened for that.
// Takes some microseconds, and one more for every few descriptors.
void process_read(struct process *ret_process);
