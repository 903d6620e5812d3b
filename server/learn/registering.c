// A registration from the request to its answer; see registering.h.
#include "learn/registering.h"

#include "base/err.h"
#include "base/must.h"
#include "learn/registrar.h"
#include "learn/registration.h"
#include "learn/rounds.h"

int registering_gather(struct learner *learner, bool is_applied, const char *who,
                       int (*gather)(void *ctx, struct registration_part *part, char *const *carriers,
                                     size_t carrier_count),
                       void *ctx, struct registration **ret_registration)
{
	struct registration *registration = learner->registration ? NULL : registration_new(is_applied, who);
	int err = learner->registration ? E_STATE : registration ? E_OK : E_NOMEM;

	for (size_t i = 0; i < learner->service_count && err == E_OK; i++) { // services change on this thread alone
		const struct informant *service = learner->services[i];
		struct registration_part *part = NULL;

		if (!service->registrar)
			continue;
		part = registration_add_part(registration, service->registrar, service->label,
		                             service->registrar->app_count);
		err = part ? gather(ctx, part, service->carriers, service->carrier_count) : E_NOMEM;
	}
	if (err == E_OK && registration->part_count == 0)
		err = E_NOTFOUND;
	if (err < 0)
		registration_free(registration);
	else
		*ret_registration = registration;
	return err;
}

int registering_begin(struct learner *learner, struct registration *registration,
                      void (*done)(void *ctx, const struct registration *registration), void *ctx)
{
	must(!learner->registration);
	registration->done = done;
	registration->ctx = ctx;
	if (!registrar_start(registration, learner->arrived_fd)) {
		registration_free(registration);
		return E_NOMEM;
	}
	learner->registration = registration;
	pthread_mutex_lock(&learner->mutex);
	for (size_t i = 0; i < learner->service_count; i++)
		learner->services[i]->is_registering = learner->services[i]->registrar != NULL;
	pthread_mutex_unlock(&learner->mutex);
	return E_OK;
}

void registering_end(struct learner *learner)
{
	struct registration *registration = learner->registration;

	if (!registration || !registration->has_ended)
		return;
	must(pthread_join(registration->thread, NULL) == 0);
	registration->is_started = false;
	learner->registration = NULL;
	pthread_mutex_lock(&learner->mutex);
	for (size_t i = 0; i < learner->service_count; i++)
		learner->services[i]->is_registering = false;
	for (size_t i = 0; i < learner->leaving_count; i++)
		learner->leaving[i]->is_registering = false;
	pthread_mutex_unlock(&learner->mutex);
	registration->done(registration->ctx, registration);
	registration_free(registration);
}

void registering_abandon(struct learner *learner)
{
	registering_end(learner);
	if (learner->registration) // its thread goes on, and is not joined any more
		learner->registration->done(learner->registration->ctx, NULL);
}
