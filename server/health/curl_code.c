// libcurl's results, one by one; see curl_code.h.
#include "health/curl_code.h"

#include "base/attr.h"
#include "base/must.h"
#include "health/probe.h"

// Who is at fault. Codes that are not listed, and those of later versions of libcurl, are RESPONSE: a target that cannot
// be understood is not up.
enum fault {
	RESPONSE, // what the target sent, or did not send
	CONNECT,  // no connection, unless errno says that this machine is out of something
	SYSTEM,   // a system call on the connection failed: as for CONNECT, but it is the response that is missing
	TIMEOUT,
	TLS,      // the handshake, or the certificate
	OURS,     // this machine, its files, or how we call libcurl; once something was received, the target
};

// The codes of other protocols (FTP, TFTP, LDAP, SSH, RTSP, HTTP/3), of proxies, redirects and uploads, and the obsolete
// ones cannot occur: only HTTP requests are sent, straight to an address, and libcurl follows no redirect. They are not
// listed.
static const unsigned char faults[] = {
	[CURLE_UNSUPPORTED_PROTOCOL] = OURS,        // a libcurl without HTTPS; also a response of HTTP/0.9 or HTTP/4
	[CURLE_FAILED_INIT] = OURS,
	[CURLE_URL_MALFORMAT] = OURS,               // the URL is made from the config
	[CURLE_NOT_BUILT_IN] = OURS,
	[CURLE_COULDNT_RESOLVE_HOST] = OURS,        // the address is written in numbers: no memory to convert it
	[CURLE_COULDNT_CONNECT] = CONNECT,          // also a socket() that failed
	[CURLE_WEIRD_SERVER_REPLY] = RESPONSE,
	[CURLE_PARTIAL_FILE] = RESPONSE,            // closed before the end of the body
	[CURLE_HTTP2] = RESPONSE,                   // its framing is wrong, or it is none
	[CURLE_HTTP_RETURNED_ERROR] = RESPONSE,
	[CURLE_WRITE_ERROR] = RESPONSE,             // the body or a header could not be decoded; our own aborts are "decided"
	[CURLE_OUT_OF_MEMORY] = OURS,               // also a line of more than 100 KB in the response's header
	[CURLE_OPERATION_TIMEDOUT] = TIMEOUT,
	[CURLE_SSL_CONNECT_ERROR] = TLS,
	[CURLE_ABORTED_BY_CALLBACK] = OURS,
	[CURLE_BAD_FUNCTION_ARGUMENT] = OURS,
	[CURLE_INTERFACE_FAILED] = OURS,            // bind() failed
	[CURLE_UNKNOWN_OPTION] = OURS,
	[CURLE_SETOPT_OPTION_SYNTAX] = OURS,
	[CURLE_GOT_NOTHING] = RESPONSE,             // closed without a response
	[CURLE_SSL_ENGINE_NOTFOUND] = OURS,
	[CURLE_SSL_ENGINE_SETFAILED] = OURS,
	[CURLE_SEND_ERROR] = SYSTEM,
	[CURLE_RECV_ERROR] = SYSTEM,
	[CURLE_SSL_CERTPROBLEM] = OURS,             // a client certificate of ours, by a file: there is none
	[CURLE_SSL_CIPHER] = TLS,
	[CURLE_PEER_FAILED_VERIFICATION] = TLS,
	[CURLE_BAD_CONTENT_ENCODING] = RESPONSE,
	[CURLE_FILESIZE_EXCEEDED] = RESPONSE,
	[CURLE_USE_SSL_FAILED] = TLS,
	[CURLE_SSL_ENGINE_INITFAILED] = OURS,
	[CURLE_SSL_CACERT_BADFILE] = OURS,          // `ca-file` cannot be read
	[CURLE_SSL_SHUTDOWN_FAILED] = TLS,
	[CURLE_SSL_CRL_BADFILE] = OURS,
	[CURLE_SSL_ISSUER_ERROR] = TLS,
	[CURLE_NO_CONNECTION_AVAILABLE] = OURS,     // a limit of the multi handle: none is set
	[CURLE_SSL_PINNEDPUBKEYNOTMATCH] = TLS,
	[CURLE_SSL_INVALIDCERTSTATUS] = TLS,
	[CURLE_RECURSIVE_API_CALL] = OURS,
	[CURLE_AUTH_ERROR] = RESPONSE,
	[CURLE_SSL_CLIENTCERT] = TLS,               // the target requires a certificate of its clients
	[CURLE_UNRECOVERABLE_POLL] = OURS,
};

enum health_layer curl_code_layer(CURLcode code, bool received, int error)
{
	must(code != CURLE_OK);
	switch ((size_t)code < ARRAY_LEN(faults) ? (enum fault)faults[code] : RESPONSE) {
	case CONNECT: return probe_is_local(error) && !received ? HEALTH_LOCAL : HEALTH_CONNECT;
	case SYSTEM: return probe_is_local(error) && !received ? HEALTH_LOCAL : HEALTH_HTTP;
	case TIMEOUT: return HEALTH_TIMEOUT;
	case TLS: return HEALTH_TLS;
	case OURS: return received ? HEALTH_HTTP : HEALTH_LOCAL;
	case RESPONSE: break;
	}
	return HEALTH_HTTP;
}
