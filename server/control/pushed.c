// Figures of load; see pushed.h.
#include "control/pushed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "control/call.h"
#include "control/find.h"
#include "control/ops.h"
#include "control/reply_json.h"
#include "health/judge.h"
#include "schema/units.h"
#include "view/live.h"
#include "view/view.h"

static const double figure_max = 1e12;

// As a number or as text, which is digits with a point at most: no sign, no exponent, nothing that is no number.
static bool read_figure(const json_t *value, double *ret_figure)
{
	const char *text = json_string_value(value);
	char *end = NULL;
	double figure = text ? strtod(text, &end) : json_number_value(value);

	if (text && (*end || strspn(text, "0123456789.") != strlen(text)))
		return false;
	if (!isfinite(figure) || figure < 0 || figure > figure_max)
		return false;
	*ret_figure = figure;
	return true;
}

json_t *pushed_load(const struct call *call)
{
	const char *app = call_text(call, "app"), *site = call_text(call, "site"), *ttl = call_text(call, "ttl");
	uint64_t ttl_ms = JUDGE_TTL_MS;
	json_t *refusal = NULL;
	const struct live *live = find_live(&refusal);
	int app_number = live && app ? find_app(live->view, app, &refusal) : -1;
	int site_number = live && !refusal ? find_site(live->view, site, &refusal) : -1;
	double figure;

	if (!live || refusal)
		return refusal;
	if (app_number >= 0 && find_target(live->view, app_number, site_number, &refusal) < 0)
		return refusal;
	if (!read_figure(json_object_get(call->request, "load"), &figure))
		return reply_error(REPLY_USAGE, "load: expected a number from 0 to %.0f", figure_max);
	if (ttl && (units_parse_duration_ms(ttl, &ttl_ms) < 0 || ttl_ms < JUDGE_TTL_MIN_MS || ttl_ms > JUDGE_TTL_MAX_MS))
		return reply_error(REPLY_USAGE, "ttl '%.64s': expected a time from 1s to 1h", ttl);
	app = app_number >= 0 ? live->view->apps[app_number].name : NULL;
	site = live->view->sites[site_number].name;
	if (!call->ops.load || call->ops.load(call->ops.ctx, app, site, figure, (int64_t)ttl_ms) < 0)
		return reply_error(REPLY_REFUSED, "%s%s%s has no `load-ceiling` in the config", app ? app : "", app ? " at " : "", site);
	return pushed_set_ceilings(&call->ops, app, site,
	                           reply_set(reply_set(reply_ok(), "site", reply_text(site)), "app", reply_text(app)));
}

json_t *pushed_set_ceilings(const struct control_ops *ops, const char *app, const char *site, json_t *object)
{
	struct control_ceiling_state shown;

	if (ops->ceiling && ops->ceiling(ops->ctx, app, site, false, &shown)) {
		object = reply_set(object, "ceiling", json_real(shown.ceiling));
		object = reply_set(object, "rate", json_real(shown.rate));
		object = reply_set(object, "share", json_real(shown.share));
	}
	if (ops->ceiling && ops->ceiling(ops->ctx, app, site, true, &shown)) {
		bool counts = shown.age_ms >= 0;

		object = reply_set(object, "load_ceiling", json_real(shown.ceiling));
		object = reply_set(object, "load", counts ? json_real(shown.rate) : json_null());
		object = reply_set(object, "load_age_s", counts ? json_integer(shown.age_ms / 1000) : json_null());
		object = reply_set(object, "load_share", json_real(shown.share));
	}
	return object;
}
