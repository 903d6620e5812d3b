// JSON Web Tokens as the other side sees them: header and claims as JSON, signatures verified with the public key; and
// base64 against RFC 4648's own examples.
#include "lib/jwt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "lib/base64.h"

static void test_base64(void **state)
{
	static const struct {
		const char *text, *plain, *url;
	} cases[] = {
		{"f", "Zg==", "Zg"}, {"fo", "Zm8=", "Zm8"}, {"foo", "Zm9v", "Zm9v"}, {"foob", "Zm9vYg==", "Zm9vYg"},
		{"fooba", "Zm9vYmE=", "Zm9vYmE"}, {"foobar", "Zm9vYmFy", "Zm9vYmFy"}, {"\xfb\xff\xbf", "+/+/", "-_-_"},
	};
	char buf[16];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t len = strlen(cases[i].text);

		assert_int_equal(base64_write(buf, sizeof(buf), cases[i].text, len, BASE64_PLAIN), strlen(cases[i].plain));
		assert_string_equal(buf, cases[i].plain);
		assert_int_equal(base64_write(buf, sizeof(buf), cases[i].text, len, BASE64_URL), strlen(cases[i].url));
		assert_string_equal(buf, cases[i].url);
	}
	assert_int_equal(base64_write(buf, 8, "foobar", 6, BASE64_PLAIN), 0); // its zero has no room
	assert_int_equal(base64_write(buf, 9, "foobar", 6, BASE64_PLAIN), 8);
	assert_int_equal(base64_write(buf, 0, "f", 1, BASE64_PLAIN), 0);
}

// What base64url has; its length.
static size_t decode(const char *text, size_t len, unsigned char *ret)
{
	uint32_t bits = 0;
	size_t count = 0;

	for (size_t i = 0; i < len; i++) {
		static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
		const char *at = strchr(alphabet, text[i]);

		assert_non_null(at);
		bits = bits << 6 | (uint32_t)(at - alphabet);
		if (i % 4 != 0)
			ret[count++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
	}
	return count;
}

static json_t *decode_json(const char *text, size_t len)
{
	unsigned char octets[JWT_SIZE];
	json_t *json = json_loadb((char *)octets, decode(text, len, octets), 0, NULL);

	assert_non_null(json);
	return json;
}

static char *pem_of(EVP_PKEY *key, size_t *ret_len)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *at, *pem;

	assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	*ret_len = (size_t)BIO_get_mem_data(bio, &at);
	pem = malloc(*ret_len);
	memcpy(pem, at, *ret_len);
	BIO_free(bio);
	return pem;
}

static bool verify(EVP_PKEY *key, const char *token, const char *end)
{
	unsigned char signature[1024], *der = NULL;
	size_t len = decode(end + 1, strlen(end + 1), signature);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	int good;

	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
		ECDSA_SIG *pair = ECDSA_SIG_new();

		assert_int_equal(len, 64);
		ECDSA_SIG_set0(pair, BN_bin2bn(signature, 32, NULL), BN_bin2bn(signature + 32, 32, NULL));
		len = (size_t)i2d_ECDSA_SIG(pair, &der);
		ECDSA_SIG_free(pair);
	}
	assert_int_equal(EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, key), 1);
	good = EVP_DigestVerify(md, der ? der : signature, len, (const unsigned char *)token, (size_t)(end - token));
	EVP_MD_CTX_free(md);
	OPENSSL_free(der);
	return good == 1;
}

static const char *text_of(json_t *json, const char *name)
{
	return json_string_value(json_object_get(json, name));
}

static void check_token(EVP_PKEY *key, const char *algorithm, const char *key_id)
{
	const struct jwt_claims claims = {"client \"7\"", "https://example.com/token", key_id, 1700000000, 180};
	size_t len;
	char *pem = pem_of(key, &len), token[JWT_SIZE], last_jti[64] = "";

	for (int i = 0; i < 20; i++) { // ES256: numbers with zeros in front too
		assert_null(jwt_sign(pem, len, &claims, token));

		const char *dot = strchr(token, '.'), *end = strrchr(token, '.');
		json_t *header = decode_json(token, (size_t)(dot - token));
		json_t *body = decode_json(dot + 1, (size_t)(end - dot - 1));

		assert_string_equal(text_of(header, "alg"), algorithm);
		assert_string_equal(text_of(header, "typ"), "JWT");
		assert_int_equal(json_object_size(header), key_id ? 3 : 2);
		if (key_id)
			assert_string_equal(text_of(header, "kid"), key_id);
		assert_string_equal(text_of(body, "iss"), claims.client_id);
		assert_string_equal(text_of(body, "sub"), claims.client_id);
		assert_string_equal(text_of(body, "aud"), claims.audience);
		assert_int_equal(json_integer_value(json_object_get(body, "iat")), 1700000000);
		assert_int_equal(json_integer_value(json_object_get(body, "exp")), 1700000180);
		assert_string_not_equal(text_of(body, "jti"), last_jti);
		assert_true(strlen(text_of(body, "jti")) >= 20);
		strcpy(last_jti, text_of(body, "jti"));
		assert_true(verify(key, token, end));
		token[5] ^= 1;
		assert_false(verify(key, token, end));
		json_decref(header);
		json_decref(body);
	}
	free(pem);
}

static void test_tokens(void **state)
{
	EVP_PKEY *rsa = EVP_RSA_gen(2048), *ec = EVP_EC_gen("P-256");

	(void)state;
	check_token(rsa, "RS256", NULL);
	check_token(ec, "ES256", "key-1");
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
}

static void test_refused(void **state)
{
	char token[JWT_SIZE], *long_text = calloc(1, JWT_SIZE);
	EVP_PKEY *keys[] = {EVP_RSA_gen(1024), EVP_EC_gen("P-384"), EVP_EC_gen("P-256")};
	struct jwt_claims claims = {"c", "a", NULL, 0, 1};
	size_t len;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char *pem = pem_of(keys[i], &len);

		if (i < 2) {
			assert_string_equal(jwt_sign(pem, len, &claims, token),
			                    "neither an RSA key of 2048 bits or more nor one of the curve P-256");
		} else {
			memset(long_text, 'x', JWT_SIZE - 1);
			claims.audience = long_text;
			assert_non_null(strstr(jwt_sign(pem, len, &claims, token), "too long"));
			long_text[2900] = '\0'; // claims that have room, a signature that has none
			assert_non_null(strstr(jwt_sign(pem, len, &claims, token), "too long"));
			assert_string_equal(jwt_sign(pem, len / 2, &claims, token),
			                    "not a private key as PEM, or one that is encrypted");
		}
		free(pem);
		EVP_PKEY_free(keys[i]);
	}
	assert_string_equal(jwt_sign("", 0, &claims, token), "not a private key as PEM, or one that is encrypted");
	free(long_text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
