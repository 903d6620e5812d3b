// How old saved health may be, and how often it is confirmed: what both the backend and the state look at.
#pragma once

enum { STATE_CONFIRM_S = 60, STATE_HEALTH_AGE_MAX_S = 600 };
