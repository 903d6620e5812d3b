// Limits of the state that its parts and its callers look at.
#pragma once

enum {
	STATE_OVERRIDES_MAX = 131072,
	STATE_HEALTH_MAX = 1 << 22,    // addresses that are probed
	STATE_HEALTH_OF_TARGET_MAX = 128, // addresses of one target, with those that are still to be deleted
	STATE_PROBED_MAX = 0x7fffffff,
	STATE_ALIASES_MAX = 65536,     // names of hosts
	STATE_ALIAS_NAME_MAX = 1024,   // octets of a name
	STATE_ALIAS_TEXT_MAX = 2048,   // octets of its addresses as text
	STATE_CONFIRM_S = 60,          // how often the saved health is confirmed
	STATE_IDLE_S = 60,             // without a change of overrides: their logs of writes are carried into the files
	STATE_HEALTH_AGE_MAX_S = 600,  // older health is not used at a start
	STATE_WHY_LEN = 512,           // octets of a reason, with the NUL
};
