// Requests to CAMARA's edge discovery APIs; see camara.h. What is sent has the members that the OpenAPI files declare and no
// others: newer services refuse those.
#include "camara.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum { PORT_MIN = 1024, HALF_LEN = 8, CORRELATOR_LEN = 16 };

// A device as a question has it. What follows from a question with an IPv4 address:
//
//   it is direct and `direct: on`  `nat: off`  identified by
//   yes                            any         its address and port
//   no                             yes         its address, as the public and the private one
//   no                             no          nothing: an address alone is shared by many devices. v1: its address
struct device {
	char address[INET6_ADDRSTRLEN];
	bool ipv6, private_too;
	unsigned port; // 0: none
};

// False: there is nothing that identifies it.
static bool identify(const struct camara *camara, const struct edgesteer_question *question, struct device *ret_device)
{
	struct device device = {.ipv6 = question->family == 6};
	uint8_t address[16];

	memcpy(address, question->address, sizeof(address));
	if (device.ipv6) // any address of the /64 will do; the rest of it tells the device itself
		memset(address + HALF_LEN, 0, HALF_LEN);
	if (!inet_ntop(device.ipv6 ? AF_INET6 : AF_INET, address, device.address, sizeof(device.address)))
		return false;
	if (!device.ipv6 && camara->direct && question->is_direct && question->port >= PORT_MIN)
		device.port = question->port;
	device.private_too = !device.ipv6 && !device.port && camara->no_nat;
	*ret_device = device;
	return device.ipv6 || device.port || device.private_too || camara->api == CAMARA_SIMPLE_V1;
}

static json_t *device_json(const struct device *device)
{
	if (device->ipv6)
		return json_pack("{s:s}", "ipv6Address", device->address);
	if (device->port)
		return json_pack("{s:{s:s, s:i}}", "ipv4Address", "publicAddress", device->address, "publicPort",
		                 (int)device->port);
	return json_pack("{s:{s:s, s:s}}", "ipv4Address", "publicAddress", device->address, "privateAddress",
	                 device->address);
}

// A number of its own for each question, by which both sides can find it in their logs.
static void add_correlator(struct inquiry_letter *letter)
{
	unsigned char random[CORRELATOR_LEN] = {0};
	char text[CORRELATOR_LEN * 2 + 1];

	(void)!getrandom(random, sizeof(random), 0);
	for (size_t i = 0; i < CORRELATOR_LEN; i++)
		snprintf(text + 2 * i, 3, "%02x", random[i]);
	inquiry_add_header(letter, "x-correlator: %s", text);
}

static void add_device_headers(struct inquiry_letter *letter, const struct device *device)
{
	inquiry_add_header(letter, "%s: %s", device->ipv6 ? "IPv6-Address" : "IPv4-Address", device->address);
	if (device->port)
		inquiry_add_header(letter, "Public-port: %u", device->port);
}

// Writes the body. False: out of memory, or no room.
static bool write_body(const struct camara *camara, const struct device *device, const char *id, const char *id_name,
                       struct inquiry_letter *letter)
{
	json_t *body = json_object();
	bool good = body && json_object_set_new(body, "device", device_json(device)) == 0;

	if (id)
		good = good && json_object_set_new(body, id_name, json_string(id)) == 0;
	if (camara->region)
		good = good && json_object_set_new(body, "edgeCloudRegion", json_string(camara->region)) == 0;
	if (good) {
		size_t len = json_dumpb(body, letter->body, sizeof(letter->body) - 1, JSON_COMPACT);

		good = len > 0 && len < sizeof(letter->body);
		letter->body[good ? len : 0] = '\0';
	}
	json_decref(body);
	return good;
}

// The ID that the API wants besides the device, with the name of the member; NULL: none.
static const char *find_id(const struct camara *camara, const char *app, const char **ret_name)
{
	if (camara->api == CAMARA_OPTIMAL) {
		*ret_name = "applicationProfileId";
		return camara->profile_id;
	}
	*ret_name = camara->endpoints_ids ? "applicationEndpointsId" : "appId";
	return camara->api == CAMARA_ENDPOINTS
	           ? perapp_find(camara->endpoints_ids ? camara->endpoints_ids : camara->app_ids, app)
	           : NULL;
}

bool camara_write(void *ctx, const struct edgesteer_question *question, struct inquiry_letter *ret_letter,
                  struct verdict *ret_verdict)
{
	static const char *const paths[CAMARA_APIS] = {
		[CAMARA_SIMPLE] = "retrieve-closest-edge-cloud-zone",
		[CAMARA_SIMPLE_V1] = "edge-cloud-zones?filter=closest",
		[CAMARA_OPTIMAL] = "retrieve-optimal-edge-cloud-zones",
		[CAMARA_ENDPOINTS] = "retrieve-optimal-app-endpoints",
	};
	const struct camara *camara = ctx;
	struct device device;
	const char *id_name, *id = find_id(camara, question->app, &id_name);

	if (!identify(camara, question, &device)) {
		verdict_set(ret_verdict, EDGESTEER_UNASKED, "an IPv4 address alone does not tell a device (see `direct`, `nat`)");
		return false;
	}
	if (camara->api == CAMARA_ENDPOINTS && !id) {
		verdict_set(ret_verdict, EDGESTEER_UNASKED, "no ID for %.100s",
		            question->app ? question->app : "a client without an app");
		return false;
	}
	inquiry_add_header(ret_letter, "Accept: application/json");
	add_correlator(ret_letter);
	bool good = inquiry_set_url(ret_letter, camara->base_url, paths[camara->api]);

	if (camara->api == CAMARA_SIMPLE_V1) {
		add_device_headers(ret_letter, &device);
	} else {
		inquiry_add_header(ret_letter, "Content-Type: application/json");
		good = good && write_body(camara, &device, id, id_name, ret_letter);
	}
	if (!good)
		verdict_set(ret_verdict, EDGESTEER_BROKEN, "the request is too long");
	return good;
}
