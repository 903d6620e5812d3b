// Prints replies on standard output for people; one function per verb, for edgesteerctl. Fields missing from a reply
// are left out, as the daemon may be of another version.
#pragma once

#include <jansson.h>

enum { CLIENT_STATE_LEN = 96 };

// Of a target or candidate: "down (forced down)", into buf[CLIENT_STATE_LEN], which it returns.
const char *client_state_text(const json_t *target, char *buf);

void client_show_status(const json_t *reply);
void client_show_check(const json_t *reply);
void client_show_sites(const json_t *reply);
void client_show_apps(const json_t *reply);
void client_show_targets(const json_t *reply);
void client_show_drain(const json_t *reply);
// A line of another drain: "It VERB the drain until ..., given ... by ...". One of one app is named. Nothing if it is none.
void client_show_earlier(const char *verb, const json_t *drain);
// Who gave an override, and on whose behalf: "uid 1000 (alice), pid 4711 for Bob", into buf[CLIENT_WHO_LEN], which it returns.
enum { CLIENT_WHO_LEN = 1024 };
const char *client_who_text(const json_t *override, char *buf);
void client_show_drains(const json_t *reply);
void client_show_undrain(const json_t *reply);
void client_show_force(const json_t *reply);
void client_show_adopt(const json_t *reply);
// Of the reply of `status` or `drains`: who has set which share of an app's clients is steered.
void client_show_adoptions(const json_t *reply);
// Of the apps of `apps`: a line for each that does not steer all of its clients.
void client_show_adopting(const json_t *apps);
// What vantages say of a target: "cell-7 of verizon down 3 s", into buf[CLIENT_VANTAGES_LEN], which it returns.
enum { CLIENT_VANTAGES_LEN = 512 };
const char *client_vantages_text(const json_t *target, char *buf);
void client_show_report(const json_t *reply);
void client_show_load(const json_t *reply);
void client_show_vantages(const json_t *reply);
void client_show_released(const json_t *reply);
// What the brake holds, of the reply of `status` or `vantages`.
void client_show_brakes(const json_t *reply);
void client_show_explain(const json_t *reply);
void client_show_reload(const json_t *reply);
void client_show_compare(const json_t *reply);
void client_show_rollback(const json_t *reply);
// Of the reply of `status`: that the daemon is rolled back, and what it could be rolled back to.
void client_show_rolled_back(const json_t *reply);
void client_show_plan(const json_t *reply);
// Of what a reply has as its "effect".
void client_show_effect(const json_t *effect);
void client_show_sources(const json_t *reply);
void client_show_discovery(const json_t *reply);
void client_show_register(const json_t *reply);
void client_show_learned(const json_t *reply);
void client_show_forgotten(const json_t *reply);
void client_show_zones(const json_t *reply);
void client_show_stats(const json_t *reply);
void client_show_version(const json_t *reply);
