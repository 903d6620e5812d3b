// Numbers of the DNS protocol; from RFC 1035 where no other document is named.
#pragma once

enum {
	DNS_HEADER_LEN = 12,
	DNS_RECORD_LEN = 12, // a record without its RDATA: the owner as a pointer, TYPE, CLASS, TTL, RDLENGTH
	DNS_UDP_PLAIN = 512, // RFC 1035 section 4.2.1: the largest UDP message without EDNS
	DNS_MESSAGE_MAX = 65535,
	DNS_EDNS_VERSION = 0,
};

// The third and fourth octet of the header, as one number.
enum dns_flag {
	DNS_QR = 0x8000,
	DNS_OPCODE = 0x7800,
	DNS_AA = 0x0400,
	DNS_TC = 0x0200,
	DNS_RD = 0x0100,
	DNS_CD = 0x0010, // RFC 4035 section 3.1.6: copied
};

enum dns_class { DNS_CLASS_IN = 1 };

enum dns_type {
	DNS_A = 1,
	DNS_NS = 2,
	DNS_MD = 3,
	DNS_MF = 4,
	DNS_CNAME = 5,
	DNS_SOA = 6,
	DNS_MB = 7,
	DNS_MG = 8,
	DNS_MR = 9,
	DNS_WKS = 11,
	DNS_PTR = 12,
	DNS_HINFO = 13,
	DNS_MINFO = 14,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_RP = 17,
	DNS_AFSDB = 18,
	DNS_X25 = 19,
	DNS_ISDN = 20,
	DNS_RT = 21,
	DNS_NSAP = 22,
	DNS_NSAP_PTR = 23,
	DNS_SIG = 24,
	DNS_KEY = 25,
	DNS_PX = 26,
	DNS_GPOS = 27,
	DNS_AAAA = 28,
	DNS_LOC = 29,
	DNS_EID = 31,
	DNS_NIMLOC = 32,
	DNS_SRV = 33,
	DNS_NAPTR = 35,
	DNS_KX = 36,
	DNS_CERT = 37,
	DNS_DNAME = 39,
	DNS_OPT = 41,
	DNS_APL = 42,
	DNS_DS = 43,
	DNS_SSHFP = 44,
	DNS_IPSECKEY = 45,
	DNS_RRSIG = 46,
	DNS_NSEC = 47,
	DNS_DNSKEY = 48,
	DNS_DHCID = 49,
	DNS_NSEC3 = 50,
	DNS_NSEC3PARAM = 51,
	DNS_TLSA = 52,
	DNS_SMIMEA = 53,
	DNS_HIP = 55,
	DNS_NINFO = 56,
	DNS_RKEY = 57,
	DNS_TALINK = 58,
	DNS_CDS = 59,
	DNS_CDNSKEY = 60,
	DNS_OPENPGPKEY = 61,
	DNS_CSYNC = 62,
	DNS_ZONEMD = 63,
	DNS_SVCB = 64, // RFC 9460
	DNS_HTTPS = 65,
	DNS_SPF = 99,
	DNS_NID = 104,
	DNS_L32 = 105,
	DNS_L64 = 106,
	DNS_LP = 107,
	DNS_EUI48 = 108,
	DNS_EUI64 = 109,
	DNS_NXNAME = 128, // RFC 9824: only in NSEC records
	DNS_TSIG = 250,
	DNS_IXFR = 251,
	DNS_AXFR = 252,
	DNS_ANY = 255,
	DNS_URI = 256,
	DNS_CAA = 257, // RFC 8659
	DNS_AVC = 258,
	DNS_AMTRELAY = 260,
	DNS_RESINFO = 261, // RFC 9606
};

enum dns_rcode {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5,
	DNS_NOTAUTH = 9,
	DNS_BADVERS = 16, // RFC 6891 section 6.1.3: its high bits go into the OPT record
};

enum dns_option {
	DNS_OPTION_NSID = 3,       // RFC 5001
	DNS_OPTION_ECS = 8,        // RFC 7871
	DNS_OPTION_KEEPALIVE = 11, // RFC 7828
	DNS_OPTION_EDE = 15,       // RFC 8914
};

enum dns_ede {
	DNS_EDE_NONE = -1,
	DNS_EDE_NOT_AUTHORITATIVE = 20,
	DNS_EDE_NO_REACHABLE_AUTHORITY = 22,
	DNS_EDE_NETWORK_ERROR = 23,
};
