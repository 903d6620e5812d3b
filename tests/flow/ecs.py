"""EDNS client subnet, RFC 7871: what is echoed, which scope is sent, what is malformed, and when there is no option."""

import os
import random
import signal
import socket
import struct

import harness
import wire
from harness import Daemon, check, equal, slowness

ZONE = "edge.example.com"
ZONE_FILE = """$ORIGIN edge.example.com.
$TTL 300
@ SOA ns1.example.net. hostmaster.example.net. 1 3600 900 604800 60
@ NS ns1.example.net.
static A 192.0.2.10
toapp CNAME app
sub NS ns.sub
ns.sub A 192.0.2.53
""" + "".join(f"t{n} TXT \"{'x' * 200}\" \"{'y' * n}\"\n" for n in range(150, 256))

# The example of RFC 7871 section 7.2.1 (1.2.0/20 has one place, 1.2.3/24 in it another), the same in IPv6, and
# loopback, so that the transport's source can be located.
RANGES = """prefix,carrier,latitude,longitude
1.2.0.0/20,two,40.0,-74.0
1.2.3.0/24,one,40.0,-74.0
2001:db8::/36,two,40.0,-74.0
2001:db8:30::/44,one,40.0,-74.0
127.1.0.0/16,one,40.0,-74.0
127.2.0.0/16,two,40.0,-74.0
"""

CONFIG = {
    "domains": {ZONE: {"file": "zone"}},
    "locate": [{"plugin": "ranges", "file": "ranges.csv"}],
    "sites": {
        "r1": {"kind": "region", "location": [40.0, -74.0]},
        "w1": {"kind": "wavelength", "location": [40.0, -74.0], "region": "r1", "reach": ["one"]},
        "w2": {"kind": "wavelength", "location": [40.0, -74.0], "region": "r1", "reach": ["two"]},
    },
    "apps": {
        "app." + ZONE: {"ttl": "30s", "targets": {
            "r1": {"addresses": ["203.0.113.1", "2001:db8:f::1"]},
            "w1": {"addresses": ["155.146.0.1"]},
            "w2": {"addresses": ["155.146.0.2", "2001:db8:f::2"]},
        }},
    },
}
R1, W1, W2 = "203.0.113.1", "155.146.0.1", "155.146.0.2"
APP = "app." + ZONE


def daemon(config=CONFIG):
    return Daemon(config, {"zone": ZONE_FILE, "ranges.csv": RANGES})


def echoed(reply, option, scope):
    """E3: FAMILY, SOURCE and ADDRESS exactly as asked."""
    data = option[4:]
    got = reply.option(wire.OPT_ECS)
    check(got is not None, "E1: no ECS in the reply", reply)
    equal(got, data[:3] + bytes([scope]) + data[4:], "E3: ECS of the reply")


def echo_and_scope():
    """E1, E3, E4, E6, E7, E8: answers and scopes of RFC 7871's own example, v4 and v6."""
    cases = [  # client, address, scope
        ("1.2.0.7/24", W2, 23), ("1.2.1.0/24", W2, 23), ("1.2.2.0/24", W2, 24), ("1.2.3.0/24", W1, 24),
        ("1.2.3.9/32", W1, 24), ("1.2.4.0/24", W2, 22), ("1.2.7.255/32", W2, 22), ("1.2.8.0/24", W2, 21),
        ("1.2.15.0/24", W2, 21), ("1.2.0.0/16", W2, 23), ("1.2.0.0/1", R1, 8), ("1.2.16.0/20", R1, 20),
        ("1.2.32.0/24", R1, 19), ("1.3.0.0/16", R1, 16), ("9.9.9.9/32", R1, 5), ("200.0.0.0/8", R1, 1),
        ("2001:db8::/48", W2, 43), ("2001:db8:20::/48", W2, 44), ("2001:db8:30::/56", W1, 44),
        ("2001:db8:30:ffff::1/128", W1, 44), ("2001:db8:40::/48", W2, 42), ("2001:db8:800::/48", W2, 37),
        ("2001:db8:1000::/48", R1, 36), ("fe80::/10", R1, 1), ("3000::/4", R1, 4),
    ]
    with daemon() as d:
        for client, address, scope in cases:
            option = wire.ecs(client)
            # Only the octets that SOURCE covers count: 1.2.0.0/1 is 0.0.0.0.
            reply = d.query(APP, ecs=option)
            equal(reply.rcode, 0, client)
            equal((reply.addresses, reply.scope), ([address], scope), f"answer and scope of {client}")
            echoed(reply, option, scope)
            check(reply.aa and not reply.tc, "AA or TC", reply)
            equal([record.ttl for record in reply.answer], [30])
            echoed(d.query(APP, ecs=option, tcp=True), option, scope)
        # E10 and DESIGN section 2.6: a NODATA that depends on the client carries the client's scope.
        reply = d.query(APP, "AAAA", ecs="1.2.3.0/24")
        equal((reply.rcode, reply.answer, reply.scope), (0, [], 24), "NODATA of w1, which has no AAAA")
        equal([record.type for record in reply.authority], [6], "SOA with the NODATA")
        equal(d.query(APP, "AAAA", ecs="1.2.4.0/24").values("AAAA"), ["2001:db8:f::2"])


def static_scope():
    """E1, E4, E10: ECS comes back with scope 0 in every reply that does not depend on the client."""
    names = [("static." + ZONE, "A", 0), ("static." + ZONE, "MX", 0), (ZONE, "SOA", 0), (ZONE, "NS", 0),
             (ZONE, "DNSKEY", 0),
             ("nothere." + ZONE, "A", wire.NXDOMAIN), ("x.sub." + ZONE, "A", 0), ("sub." + ZONE, "DS", 0),
             ("www.example.org", "A", wire.REFUSED)]
    with daemon() as d:
        for name, kind, rcode in names:
            for client in ("1.2.3.0/24", "2001:db8:30::/56", "1.2.3.4/32", "0.0.0.0/0", "::/0"):
                option = wire.ecs(client)
                reply = d.query(name, kind, ecs=option)
                equal(reply.rcode, rcode, name, kind)
                echoed(reply, option, 0)


def cname_scope():
    """E9: with a client subnet a chain stops at the CNAME to an app, as that is the same for all clients."""
    with daemon() as d:
        reply = d.query("toapp." + ZONE, ecs="1.2.3.0/24")
        equal((reply.values("CNAME"), reply.addresses, reply.scope), ([APP], [], 0))
        reply = d.query("toapp." + ZONE)
        equal((reply.values("CNAME"), reply.addresses), ([APP], [R1]))


def none_given():
    """E2: no ECS asked, none given, even when the transport's source decided; without EDNS no OPT either."""
    with daemon() as d:
        for source, address in (("127.1.0.1", W1), ("127.2.0.1", W2), ("127.3.0.1", R1)):
            reply = d.query(APP, source=source)
            equal(reply.addresses, [address], source)
            check(reply.opt is None, "OPT without OPT", reply)
            reply = d.query(APP, source=source, edns=True)
            equal(reply.addresses, [address], source)
            equal(reply.options, [], "options nobody asked for")
        equal(d.query(APP, six=True).addresses, [R1])


def source_zero():
    """E12: SOURCE 0 is a wish for privacy: answered by the transport's source, echoed, never refused."""
    with daemon() as d:
        for client in ("0.0.0.0/0", "::/0"):
            option = wire.ecs(client)
            for source, address in (("127.1.0.1", W1), ("127.3.0.1", R1)):
                reply = d.query(APP, ecs=option, source=source)
                equal((reply.rcode, reply.addresses), (0, [address]), client, source)
                echoed(reply, option, 0)


def malformed():
    """E5: every malformed option is FORMERR, without an answer; the daemon continues."""
    v4, v6 = bytes([1, 2, 3]), bytes.fromhex("20010db80030")
    raw = lambda family, source, scope, octets: wire.option(wire.OPT_ECS,
                                                            struct.pack("!HBB", family, source, scope) + octets)
    bad = {
        "family 0": raw(0, 24, 0, v4), "family 0, source 0": raw(0, 0, 0, b""), "family 3": raw(3, 24, 0, v4),
        "family 3, source 0": raw(3, 0, 0, b""), "family 65535": raw(65535, 24, 0, v4),
        "scope in a query": raw(1, 24, 24, v4), "scope 1 in a query": raw(1, 24, 1, v4),
        "scope with source 0": raw(1, 0, 8, b""),
        "source 33": raw(1, 33, 0, v4 + b"\1\1"), "source 129": raw(2, 129, 0, bytes(17)),
        "source 255": raw(1, 255, 0, v4),
        "too few octets": raw(1, 24, 0, v4[:2]), "no octets": raw(1, 24, 0, b""),
        "too many octets": raw(1, 24, 0, v4 + b"\0"),
        "octets with source 0": raw(1, 0, 0, b"\0"), "v6 too few": raw(2, 48, 0, v6[:5]),
        "v6 too many": raw(2, 48, 0, v6 + b"\0"),
        "v4 full in a /24": raw(1, 24, 0, v4 + b"\4"), "bits past /20": raw(1, 20, 0, bytes([1, 2, 0x18])),
        "bits past /23": raw(1, 23, 0, bytes([1, 2, 3])), "bits past /1": raw(1, 1, 0, b"\xc0"),
        "v6 bits past /44": raw(2, 44, 0, bytes.fromhex("20010db80031")),
        "v6 bits past /127": raw(2, 127, 0, bytes(15) + b"\1"),
        "empty option": wire.option(wire.OPT_ECS, b""), "three octets": wire.option(wire.OPT_ECS, b"\0\1\0"),
        "option past the OPT": struct.pack("!HH", wire.OPT_ECS, 200) + bytes([0, 1, 24, 0]) + v4,
    }
    with daemon() as d:
        for what, option in bad.items():
            for name in (APP, "static." + ZONE, "nothere." + ZONE):
                for tcp in (False, True):
                    reply = d.query(name, ecs=option, tcp=tcp)
                    equal((reply.rcode, reply.answer), (wire.FORMERR, []), what, name)
        # Boundaries that are right.
        for client in ("1.2.3.4/32", "1.2.3.4/31", "0.0.0.0/1", "2001:db8::1/128", "2001:db8::/127"):
            equal(d.query(APP, ecs=client).rcode, 0, client)


def two_options():
    """Two ECS options in one OPT cannot both be echoed: FORMERR."""
    with daemon() as d:
        reply = d.query(APP, ecs=wire.ecs("1.2.3.0/24") + wire.ecs("1.2.4.0/24"))
        equal((reply.rcode, reply.answer), (wire.FORMERR, []))


def random_options():
    """Random octets as the option: FORMERR or an exact echo, never anything else."""
    rng = random.Random(7871)
    with daemon() as d:
        options = []
        for _ in range(4000):
            family = rng.choice((0, 1, 1, 1, 2, 2, 3, 256))
            source, scope = rng.choice((0, 8, 20, 24, 31, 32, 33, 56, 64, 128, 129, 255)), rng.choice((0, 0, 0, 1, 24))
            octets = rng.randbytes(rng.choice((0, 1, 2, 3, 4, 5, (source + 7) // 8, (source + 7) // 8)))
            options.append(struct.pack("!HBB", family, source, scope) + octets)
        replies = d.ask([wire.query(APP, additional=[wire.opt(wire.option(wire.OPT_ECS, o))]) for o in options])
        good = 0
        for option, reply in zip(options, map(wire.Reply, replies)):
            if well_formed(option):
                good += 1
                equal(reply.rcode, 0, option.hex())
                equal(reply.option(wire.OPT_ECS), option[:3] + bytes([reply.scope]) + option[4:], option.hex())
            else:
                equal((reply.rcode, reply.answer), (wire.FORMERR, []), option.hex())
        check(good > 50, f"only {good} of the options were right")


def well_formed(option):
    family, source, scope = struct.unpack_from("!HBB", option)
    octets = option[4:]
    if family not in (1, 2) or scope or source > (32 if family == 1 else 128) or len(octets) != (source + 7) // 8:
        return False
    return not octets or source % 8 == 0 or not octets[-1] & 0xff >> source % 8


def ignored():
    """E13: an address in `ecs-ignore` stands for nobody; the transport's source decides. The scope is the ignored
    block's, so that no cache takes the answer for anyone else's, and those beside it have blocks without it."""
    with daemon({**CONFIG, "server": {"ecs-ignore": ["10.0.0.0/8", "1.2.3.0/25", "fd00::/8"]}}) as d:
        for client, scope in (("10.1.2.0/24", 8), ("10.0.0.0/8", 8), ("fd00:1::/48", 8), ("1.2.3.5/32", 25)):
            option = wire.ecs(client)
            for source, address in (("127.1.0.1", W1), ("127.2.0.1", W2), ("127.3.0.1", R1)):
                reply = d.query(APP, ecs=option, source=source)
                equal(reply.addresses, [address], client, source)
                echoed(reply, option, scope)
        for client, address, scope in (("11.0.0.0/24", R1, 8), ("8.0.0.0/24", R1, 7), ("1.2.3.128/25", W1, 25),
                                       ("fe80::/10", R1, 7), ("fc00::/8", R1, 8)):
            reply = d.query(APP, ecs=client)
            equal((reply.addresses, reply.scope), ([address], scope), client)


def room_for_ecs():
    """E14: a reply is cut short exactly when it and its OPT with ECS do not fit."""
    with daemon() as d:
        whole = cut = 0
        for n in range(150, 256):
            name, option = f"t{n}.{ZONE}", wire.ecs("2001:db8:30:1::1/128")
            full = d.query(name, "TXT", ecs=option, edns={"size": 512}, tcp=True)
            check(not full.tc)
            for size in (512, 520):
                reply = d.query(name, "TXT", ecs=option, edns={"size": size})
                check(len(reply.wire) <= size, f"{len(reply.wire)} octets")
                equal(reply.tc, len(full.wire) > size, f"TC of {len(full.wire)} octets in {size}")
                echoed(reply, option, 0)
                if reply.tc:
                    cut += 1
                else:
                    whole += 1
                    equal(reply.values("TXT"), full.values("TXT"))
        check(whole > 5 and cut > 5, f"both sides of the border: {whole} whole, {cut} cut")


def many_clients():
    """A batch of clients of two places, without client subnets: each gets its own place's answer."""
    config = {"domains": harness.DOMAIN, "locate": [{"plugin": "ranges", "file": "ranges.csv"}],
              "sites": {"w1": {"kind": "wavelength", "location": [40.0, -74.0], "reach": ["one"]},
                        "r1": {"kind": "region", "location": [39.0, -77.0]}},
              "apps": {"app." + ZONE: {"targets": {"w1": {"addresses": ["155.146.1.1"]},
                                                           "r1": {"addresses": ["203.0.113.1"]}}}}}
    rows = "prefix,carrier,latitude,longitude\n127.0.0.1/32,one,40.0,-74.0\n"
    wanted = {"127.0.0.1": "155.146.1.1", "127.0.0.2": "203.0.113.1"}
    with Daemon(config, {"ranges.csv": rows}) as d:
        socks = []
        for i in range(48):
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind((f"127.0.0.{1 + i % 3 % 2}", 0))
            sock.connect(("127.0.0.1", d.port))
            sock.settimeout(harness.PATIENCE_S)
            socks.append(sock)
        os.kill(d.process.pid, signal.SIGSTOP)
        for sock in socks:
            sock.send(wire.query("app." + ZONE))
        os.kill(d.process.pid, signal.SIGCONT)
        for sock in socks:
            equal(wire.Reply(sock.recv(65535)).values("A"), [wanted[sock.getsockname()[0]]], sock.getsockname())
            sock.close()


if __name__ == "__main__":
    harness.run(echo_and_scope, static_scope, cname_scope, none_given, source_zero, malformed, two_options,
                random_options,
                ignored, room_for_ecs, many_clients)
