// The kinds of fields that few types have; see struct zone_kind. Called by field.c; owns nothing.
#pragma once

#include "base/attr.h"
#include "zone/kind.h"

// A time of RRSIG.
bool zone_rare_read_time(struct zone_convert *convert, const struct zone_kind *kind) MUST_USE;
// NSEC3's salt and hash: octets with their number before them, as strings have it.
bool zone_rare_read_salt(struct zone_convert *convert, const struct zone_kind *kind) MUST_USE;
bool zone_rare_read_hash(struct zone_convert *convert, const struct zone_kind *kind) MUST_USE;
// A bitmap of types, to the end.
bool zone_rare_read_bitmap(struct zone_convert *convert, const struct zone_kind *kind) MUST_USE;
int zone_rare_check_bitmap(const struct zone_octets *octets, const struct zone_kind *kind) MUST_USE PURE;
// EUI48 and EUI64; 64 bits of ILNP; NSAP. The number of octets says which.
bool zone_rare_read_eui(struct zone_convert *convert, const struct zone_kind *kind) MUST_USE;
bool zone_rare_read_node(struct zone_convert *convert, const struct zone_kind *kind) MUST_USE;
bool zone_rare_read_nsap(struct zone_convert *convert, const struct zone_kind *kind) MUST_USE;
// An item of APL.
bool zone_rare_read_prefix(struct zone_convert *convert, const struct zone_kind *kind) MUST_USE;
int zone_rare_check_prefix(const struct zone_octets *octets, const struct zone_kind *kind) MUST_USE PURE;
// The second octet of AMTRELAY, which is two words.
bool zone_rare_read_relay_type(struct zone_convert *convert, const struct zone_kind *kind) MUST_USE;
// HIP without its servers.
bool zone_rare_read_hip(struct zone_convert *convert, const struct zone_kind *kind) MUST_USE;
int zone_rare_check_hip(const struct zone_octets *octets, const struct zone_kind *kind) MUST_USE PURE;
