// Fields of a request; see call.h.
#include "control/call.h"

const char *call_text(const struct call *call, const char *field)
{
	return json_string_value(json_object_get(call->request, field));
}

json_int_t call_number(const struct call *call, const char *field)
{
	return json_integer_value(json_object_get(call->request, field));
}
