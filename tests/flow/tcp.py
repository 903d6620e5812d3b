"""DNS over TCP, RFC 7766 and 9210: framing at every split, pipelining, which connections are closed and when, and that
no client can deny the server to others."""

import collections
import contextlib
import os
import random
import resource
import select
import socket
import struct
import subprocess
import sys
import threading
import time

import harness
import wire
from harness import Daemon, Skip, check, cpu_s, equal, memory_kb, recv_message, until

ZONE = "edge.example.com"
NAME = "app." + ZONE
ADDRESSES = [f"198.51.100.{n}" for n in range(1, 33)]
IDLE_S = 1.0 * harness.pace()
CLIENTS = 20
CONFIG = {
    "server": {"tcp-clients": CLIENTS, "tcp-idle": f"{int(IDLE_S * 1000)}ms"},
    "domains": harness.DOMAIN,
    "sites": {"r1": {"kind": "region", "location": [40.0, -74.0]}},
    "apps": {NAME: {"targets": {"r1": {"addresses": ["203.0.113.1"]}}},
             "big." + ZONE: {"targets": {"r1": {"addresses": ADDRESSES}}}},
}


def daemon(**more):
    return Daemon(CONFIG, workers=1, **more)


def framed(ident, name=NAME):
    data = wire.query(name, ident=ident)
    return struct.pack("!H", len(data)) + data


def expect(sock, ident, name=NAME):
    data = recv_message(sock)
    check(data is not None, "closed instead of an answer")
    reply = wire.Reply(data)
    equal((reply.id, reply.rcode), (ident, 0))
    equal(len(reply.addresses), 1 if name == NAME else len(ADDRESSES))


def closed(sock, within_s):
    sock.settimeout(within_s)
    try:
        return sock.recv(65536) == b""
    except ConnectionResetError:
        return True
    except socket.timeout:
        return False


def pipelining():
    """RFC 7766 section 6.2.1.1: 200 queries in one write, every one answered."""
    with daemon() as d, d.connect() as sock:
        sock.sendall(b"".join(framed(i) for i in range(200)))
        seen = set()
        for _ in range(200):
            reply = wire.Reply(recv_message(sock))
            equal(reply.addresses, ["203.0.113.1"])
            seen.add(reply.id)
        equal(seen, set(range(200)))
        # Large answers, more of them than socket buffers hold.
        count = 2000
        sender = threading.Thread(target=sock.sendall, args=(b"".join(framed(i, "big." + ZONE) for i in range(count)),))
        sender.start()
        for i in range(count):
            expect(sock, i, "big." + ZONE)
        sender.join()


def framing():
    """Octet by octet, a split length prefix, a message in two halves, two in one write."""
    with daemon() as d:
        with d.connect() as sock:
            for octet in framed(1):
                sock.sendall(bytes([octet]))
                time.sleep(0.002)
            expect(sock, 1)
            both = framed(2) + framed(3)
            for cut in (1, 2, 3, 14, len(both) // 2, len(both) // 2 + 1, len(both) - 1):
                sock.sendall(both[:cut])
                time.sleep(0.005)
                sock.sendall(both[cut:])
                expect(sock, 2)
                expect(sock, 3)
        # Over IPv6, and the length in the same segment as the message when it comes back (RFC 7766 section 8).
        with d.connect(six=True) as sock:
            sock.sendall(framed(4))
            expect(sock, 4)
            sock.sendall(framed(5))
            select.select([sock], [], [], 5)
            check(len(sock.recv(65536)) > 14, "length and message came in two pieces")


def half_close():
    """A client that closes its sending half still gets every answer, then end of file."""
    with daemon() as d, d.connect() as sock:
        sock.sendall(b"".join(framed(i) for i in range(50)))
        sock.shutdown(socket.SHUT_WR)
        for i in range(50):
            expect(sock, i)
        check(closed(sock, IDLE_S / 2), "not closed after the last answer")


def odd_messages():
    """Messages that are too short close the connection or are ignored; what follows a FORMERR is still answered."""
    with daemon() as d:
        for data in (b"\0\0", b"\0\5abcde", b"\0\x0b" + bytes(11)):
            with d.connect() as sock:
                sock.sendall(data + framed(9))
                reply = recv_message(sock)
                check(reply is None or wire.Reply(reply).id == 9, "answer to a message too short", reply)
        with d.connect() as sock:
            junk = b"\0\7" + b"\1\0\0\1" + bytes(6) + b"\xff" * 4000
            sock.sendall(struct.pack("!H", len(junk)) + junk + framed(10))
            first = recv_message(sock)
            if first is not None:
                equal(wire.Reply(first).rcode, wire.FORMERR)
                expect(sock, 10)
        # The longest message there is.
        with d.connect() as sock:
            data = wire.query(NAME, ident=11) + bytes(65535 - len(wire.query(NAME)))
            sock.sendall(struct.pack("!H", len(data)) + data)
            equal(wire.Reply(recv_message(sock)).id, 11)


def idle():
    """Closed after tcp-idle without a query, not before, and a slow one is not kept open octet by octet."""
    with daemon() as d:
        with d.connect() as sock:
            for i in range(4):
                time.sleep(IDLE_S * 0.6)
                sock.sendall(framed(i))
                expect(sock, i)
            begun = time.monotonic()
            check(closed(sock, IDLE_S * 4), "an idle connection is not closed")
            took = time.monotonic() - begun
            check(took > IDLE_S * 0.5, f"closed after {took:.2f} s")
        with d.connect() as sock:
            begun, data = time.monotonic(), framed(1)
            for octet in data:
                try:
                    sock.sendall(bytes([octet]))
                except OSError:
                    break
                if select.select([sock], [], [], IDLE_S * 0.45)[0]:
                    break
            check(time.monotonic() - begun < IDLE_S * 6, "one octet at a time keeps a connection open")


def never_reads():
    """A client that sends queries and never reads uses bounded memory, is closed, and delays no other client."""
    with daemon() as d:
        before = memory_kb(d.process.pid)
        with d.connect() as sock:
            sock.setblocking(False)
            block, sent = b"".join(framed(i, "big." + ZONE) for i in range(200)), 0
            end = time.monotonic() + IDLE_S * 4
            gone = False
            while time.monotonic() < end and not gone:
                try:
                    sent += sock.send(block)
                except BlockingIOError:
                    time.sleep(0.01)
                except OSError:
                    gone = True
                equal(d.query(NAME).addresses, ["203.0.113.1"])
            check(gone, "a client that never reads is not closed")
        check(d.query(NAME, tcp=True).rcode == 0)
        grown = memory_kb(d.process.pid) - before
        if not harness.sanitizer():
            check(grown < 8192, f"{grown} KB more memory")


def memory():
    """Connections that were never made cost nothing, and large queries are not paid for once they are over."""
    if harness.sanitizer():
        raise Skip("a sanitizer has an allocator of its own")
    used = []
    for clients in (CLIENTS, 20000):
        config = {**CONFIG, "server": {"tcp-clients": clients, "tcp-idle": "10s"}}
        with Daemon(config, workers=1) as d:
            expect_one(d)
            used.append(memory_kb(d.process.pid))
            padding = wire.opt(wire.option(12, bytes(60000)))
            large = wire.query(NAME, ident=1, additional=[padding])
            for _ in range(10):  # as many as there can be at once, several times over
                socks = [d.connect() for _ in range(CLIENTS)]
                for sock in socks:
                    sock.sendall(struct.pack("!H", len(large)) + large)
                for sock in socks:
                    expect(sock, 1)
                    sock.close()
            expect_one(d)
            until(lambda: memory_kb(d.process.pid) - used[-1] < 600, harness.PATIENCE_S, "the memory of 20 queries of 60 KB is given back")
    check(used[1] - used[0] < 4096, f"{used[1] - used[0]} KB for connections that were never made")


def expect_one(daemon_):
    with daemon_.connect() as sock:
        sock.sendall(framed(3))
        expect(sock, 3)


def flood():
    """Above tcp-clients the longest idle is closed, so that a new client is always served; UDP never feels it."""
    with daemon() as d:
        socks = []
        try:
            for i in range(CLIENTS * 3):
                sock = d.connect()
                sock.sendall(framed(i))
                expect(sock, i)
                socks.append(sock)
                time.sleep(0.002)
            until(lambda: sum(closed(s, 0.001) for s in socks[:CLIENTS * 2]) == CLIENTS * 2, harness.PATIENCE_S, "the oldest are closed")
            alive = socks[-CLIENTS + 1:]
            for i, sock in enumerate(alive):
                sock.settimeout(harness.PATIENCE_S)
                sock.sendall(framed(i))
                expect(sock, i)
            equal(d.query(NAME).addresses, ["203.0.113.1"])
            # Connections without queries are idle from the start.
            quiet = [d.connect() for _ in range(CLIENTS * 2)]
            socks += quiet
            for i in range(10):
                equal(d.query(NAME, tcp=True).rcode, 0, f"fresh client {i}")
        finally:
            for sock in socks:
                sock.close()
        descriptors = lambda: len(os.listdir(f"/proc/{d.process.pid}/fd"))
        until(lambda: descriptors() < 40, harness.PATIENCE_S, "descriptors are given back")


def greedy():
    """RFC 9210 section 4: a network that takes all connections evicts its own, not those of others."""
    with daemon() as d:
        def connect(source):
            socks.append(connect_from(d, source))
            return socks[-1]

        socks = []
        try:
            modest = [connect(f"127.0.{n}.1") for n in (10, 11, 12)]
            for i, sock in enumerate(modest):
                sock.sendall(framed(i))
                expect(sock, i)
            for i in range(CLIENTS * 2):
                sock = connect(f"127.0.20.{1 + i % 2}")
                sock.sendall(framed(i))
                expect(sock, i)
            for i, sock in enumerate(modest):
                sock.sendall(framed(i))
                expect(sock, i)
            fresh = connect("127.0.13.1")
            fresh.sendall(framed(7))
            expect(fresh, 7)
        finally:
            for sock in socks:
                sock.close()


def connect_from(daemon_, source):
    return socket.create_connection(("127.0.0.1", daemon_.port), timeout=harness.PATIENCE_S, source_address=(source, 0))


# Opens connections from one address as fast as it can, keeps as many as it may, and says at the end how many there were.
ATTACK = """
import collections, signal, socket, sys
going = True
def stop(*_):
    global going
    going = False
signal.signal(signal.SIGTERM, stop)
kept, count = collections.deque(maxlen=int(sys.argv[2])), 0
while going:
    sock = socket.socket()
    sock.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT: connect() chooses one, which is quicker
    sock.bind((sys.argv[3], 0))
    try:
        sock.connect(("127.0.0.1", int(sys.argv[1])))
        count += 1
        kept.append(sock)
    except OSError:
        sock.close()
print(count)
"""


def attack(daemon_, kept):
    source = f"127.0.200.{random.randrange(1, 255)}"  # its ports are not used up by a run just before
    return subprocess.Popen([sys.executable, "-c", ATTACK, str(daemon_.port), str(kept), source], stdout=subprocess.PIPE)


def flood_of_one():
    """One address that opens thousands of connections a second takes none of 63 slow clients', which come before it and
    while it is at it, and ask twice a second, each query in two halves."""
    config = {**CONFIG, "server": {"tcp-clients": 256, "tcp-idle": "30s"}}
    with Daemon(config, workers=1) as d, contextlib.ExitStack() as stack:
        slow = [stack.enter_context(connect_from(d, f"127.1.{n}.1")) for n in range(33)]
        begun = time.monotonic()
        flooding = attack(d, 1000)
        try:
            for turn in range(6):
                slow += [stack.enter_context(connect_from(d, f"127.1.{len(slow) + n}.1")) for n in range(5)]
                for i, sock in enumerate(slow):
                    sock.sendall(framed(i)[:9])
                time.sleep(0.5)
                failed = 0
                for i, sock in enumerate(slow):
                    try:
                        sock.sendall(framed(i)[9:])
                        expect(sock, i)
                    except (OSError, harness.Failure):
                        failed += 1
                equal(failed, 0, f"of {len(slow)} slow clients failed in turn {turn}")
        finally:
            flooding.terminate()
            count = int(flooding.communicate()[0])
        equal(len(slow), 63)
        rate, evicted = count / (time.monotonic() - begun), d.ctl_json("stats")["tcp_evicted"]
        print(f"{rate:.0f} connections a second, {evicted} evicted, none of 63 slow clients'")
        check(count > 2000 and evicted > count - 1500, count, evicted)


def cost_of_an_accept(held):
    """Microseconds of processor time for each connection that takes another one's place, with so many held."""
    config = {**CONFIG, "server": {"tcp-clients": held, "tcp-idle": "10m"}}
    count = 8000
    with Daemon(config, workers=1) as d, contextlib.ExitStack() as stack:
        for n in range(held):
            stack.enter_context(connect_from(d, f"127.{1 + n // 250}.{n % 250}.1"))
        accepted = lambda: d.ctl_json("stats")["tcp_accepted"]
        until(lambda: accepted() == held, harness.PATIENCE_S, "all are held")
        before_s, kept = cpu_s(d.process.pid), collections.deque(maxlen=64)
        for _ in range(count):
            kept.append(connect_from(d, "127.0.200.1"))
        until(lambda: accepted() == held + count, harness.PATIENCE_S, "all are accepted")
        used_s = cpu_s(d.process.pid) - before_s
        for sock in kept:
            sock.close()
        return used_s / count * 1e6


def many_held():
    """With 9,000 connections of as many networks, one more costs at most twice what it costs with 100."""
    need, (soft, hard) = 12000, resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < need:
        raise Skip(f"{need} descriptors are needed, {hard} are allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (need, hard))
    try:
        # The least of some: what else the machine does only adds to it.
        few, many = (min(cost_of_an_accept(held) for _ in range(3)) for held in (100, 9000))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    print(f"an accept costs {few:.1f} us with 100 connections held, {many:.1f} us with 9,000")
    check(many < 2 * few, f"{many:.1f} us against {few:.1f} us")


def descriptors(pid):
    return {int(fd) for fd in os.listdir(f"/proc/{pid}/fd")}


def no_descriptors():
    """No descriptor left for a new connection, and none to take from another: the worker waits, it does not spin."""
    with daemon() as d:
        pid = d.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        used, before_that = descriptors(pid), None
        while used != before_that:  # the state is saved with one
            time.sleep(0.05 * harness.pace())
            used, before_that = descriptors(pid), used
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (min(set(range(max(used) + 2)) - used), before[1]))
        with d.connect() as sock:
            sock.sendall(framed(1))
            begun = cpu_s(pid)
            check(not select.select([sock], [], [], 1)[0], "served without a descriptor")
            used_s = cpu_s(pid) - begun
            check(used_s < 0.3, f"{used_s:.2f} s of processor time in a second of waiting")
            equal(d.query(NAME).addresses, ["203.0.113.1"])
            resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
            expect(sock, 1)


def stop_in_flight():
    """SIGTERM finishes queries in flight: those sent before it are answered, then the connection is closed."""
    with daemon() as d:
        with d.connect() as sock:
            sock.sendall(b"".join(framed(i, "big." + ZONE) for i in range(100)))
            expect(sock, 0, "big." + ZONE)
            d.signal(15)
            for i in range(1, 100):
                expect(sock, i, "big." + ZONE)
            check(closed(sock, harness.PATIENCE_S), "not closed at the end")
        until(lambda: d.process.poll() is not None, harness.PATIENCE_S, "the daemon ends")


if __name__ == "__main__":
    harness.run(pipelining, framing, half_close, odd_messages, idle, never_reads, memory, flood, greedy, flood_of_one,
                many_held, no_descriptors, stop_in_flight)
