// The option type for headers of an HTTP request, or metadata of a gRPC call: a mapping from names to values.
#pragma once

struct option_type;

struct headers_header {
	const char *name, *value;
};

// struct headers_header; the row's `min` and `max` limit the number of headers. The same name twice, in capital or small
// letters, is an error, and so are those that belong to the connection or say how long the request is.
extern const struct option_type headers_map;
