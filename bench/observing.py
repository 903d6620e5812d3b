"""`bench/quality --observe`: how good answers become by measured round trips alone. Carriers are known, metros are not, and
there is no service. Every client measures, once a minute of accelerated time, the site that it is given and another one of
its app's that it can reach, with noise, and reports by one of five hosts, of which one says 1 ms of everything. Answers are
the daemon's, over DNS; the truth is the model's. Reports go to the daemon's socket."""

import pathlib
import random
import socket
import statistics
import sys
import time

import harness
import scene
from fastclock import FastClock

HOSTS = ["web-1", "web-2", "web-3", "web-4", "liar"]
BESIDE = 5          # clients in a prefix
MINUTES = 60
LIMIT = 1.05        # of the oracle's mean


class Client:
    def __init__(self, address, app, ms):
        self.address, self.app, self.ms = address, app, ms
        self.sites = list(ms)
        self.best_ms = min(ms.values())


def clients_of(catalogue, carrier):
    """Neighbours are in one prefix: those of one zone."""
    zones = len([site for site in carrier.sites if catalogue.known[site][3]])
    order = sorted(range(len(carrier.clients)), key=lambda i: (i % zones, i))
    for at, i in enumerate(order):
        lat, lon = carrier.clients[i]
        ms = {site: catalogue.cost_us(site, (carrier.name, str(lat), str(lon))) / 1000 for site in carrier.sites}
        yield Client(f"10.{carrier.number}.{at // BESIDE}.{1 + at % BESIDE}", f"{carrier.name}.{scene.DOMAIN}", ms)


def config(catalogue, carriers):
    sites = sorted({site for carrier in carriers for site in carrier.sites})
    return {"domains": {scene.DOMAIN: {"ns": ["ns.example.net"]}},
            "locate": [{"plugin": "ranges", "file": "clients.csv"}],
            "observe": {"socket": "rtt.sock"},
            "sites": {site: {} for site in sites},
            "apps": {f"{carrier.name}.{scene.DOMAIN}": {"targets": {
                site: {"addresses": [catalogue.addresses[site]]} for site in carrier.sites}} for carrier in carriers}}


def noisy(dice, ms):
    """What a client sees: the radio, and a queue now and then."""
    seen = ms + abs(dice.gauss(0, 0.15 * ms))
    return seen * dice.uniform(2, 8) if dice.random() < 0.05 else seen


class Run:
    def __init__(self, daemon, catalogue, clients, seed):
        self.daemon, self.clients, self.dice = daemon, clients, random.Random(seed)
        self.site_at = {address: site for site, address in catalogue.addresses.items()}
        self.oracle = statistics.fmean(client.best_ms for client in clients)
        self.given, self.lost, self.reports = {}, 0, 0

    def ask(self):
        """What each prefix is answered; returns the mean round trip of all clients."""
        total = 0
        for client in self.clients:
            key = client.address.rsplit(".", 1)[0]
            if client.address.endswith(".1"):
                reply = self.daemon.query(client.app, ecs=f"{client.address}/32")
                self.given[key] = self.site_at[reply.addresses[0]]
            site = self.given[key]
            self.lost += site not in client.ms
            total += client.ms.get(site, 0)
        return total / len(self.clients)

    def report(self, sock, path):
        """One minute's reports."""
        lines, size = [], 0
        for client in self.dice.sample(self.clients, len(self.clients)):
            for site in (self.given[client.address.rsplit(".", 1)[0]], self.dice.choice(client.sites)):
                host = self.dice.choice(HOSTS)
                ms = 1 if host == "liar" else noisy(self.dice, client.ms[site])
                lines.append(f"{client.address} {site} {ms:.2f} {host}")
                size += len(lines[-1]) + 1
            self.reports += 2
            if size > 8000:
                sock.sendto("\n".join(lines).encode(), path)
                lines, size = [], 0
        if lines:
            sock.sendto("\n".join(lines).encode(), path)


def picture(curve, oracle):
    """The mean over time, against the oracle's."""
    top = max(ms for _, ms in curve) * 1.05
    points = " ".join(f"{60 + 12 * minute:.0f},{310 - 280 * ms / top:.1f}" for minute, ms in curve)
    line = 310 - 280 * oracle / top
    return "\n".join([
        '<svg xmlns="http://www.w3.org/2000/svg" width="820" height="350" font-family="sans-serif" font-size="13">',
        '<text x="10" y="18">Modelled mean round trip while prefixes are learned by `observe` alone, ms; one of five hosts lies'
        '</text>', f'<polyline points="{points}" fill="none" stroke="#2a6f97" stroke-width="2"/>',
        f'<line x1="60" x2="780" y1="{line:.1f}" y2="{line:.1f}" stroke="#a33" stroke-dasharray="6 4"/>',
        f'<text x="784" y="{line + 4:.1f}">{oracle:.1f}</text>',
        f'<text x="14" y="{310 - 280 * curve[0][1] / top:.1f}">{curve[0][1]:.1f}</text>',
        '<text x="60" y="335">0</text><text x="768" y="335">60 min</text>', "</svg>", ""])


def run(args, catalogue, carriers):
    clients = [client for carrier in carriers for client in clients_of(catalogue, carrier)]
    table = "prefix,carrier,latitude,longitude\n" + "".join(f"10.{one.number}.0.0/16,{one.name},,\n" for one in carriers)
    daemon = harness.Daemon(config(catalogue, carriers), files={"clients.csv": table}, start=False)
    clock = FastClock(daemon)
    curve = []
    with daemon, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        daemon.start()
        work = Run(daemon, catalogue, clients, args.seed)
        clock.pace(args.pace)
        begun_s = clock.now_s()
        while clock.now_s() - begun_s < MINUTES * 60:
            minute = (clock.now_s() - begun_s) / 60
            curve.append((minute, work.ask()))
            work.report(sock, str(daemon.folder / "rtt.sock"))
            time.sleep(max(0, (60 * (int(minute) + 1) - (clock.now_s() - begun_s)) / args.pace))
        curve.append((MINUTES, work.ask()))
        stats = daemon.ctl_json("stats")
    for minute, ms in curve[::max(1, len(curve) // 12)] + [curve[-1]]:
        print(f"{minute:5.1f} min {ms:7.2f} ms {100 * (ms / work.oracle - 1):7.1f} % above the oracle")
    print(f"{len(clients)} clients in {len(work.given)} prefixes, {work.reports} reports ({stats['observed']} taken), "
          f"{stats['learned']} learned, {stats['learned_moved']} moved, {stats['learned_held_back']} had to wait; "
          f"{stats['observed_octets'] / 1e6:.1f} MB; the oracle's mean is {work.oracle:.2f} ms")
    if args.svg:
        pathlib.Path(args.svg).write_text(picture(curve, work.oracle), encoding="utf-8")
    if work.lost:
        print(work.lost, "answers were out of the client's reach", file=sys.stderr)
    if curve[-1][1] > LIMIT * work.oracle:
        print(f"more than {100 * LIMIT - 100:.0f} % above the oracle after an hour", file=sys.stderr)
    return 1 if work.lost or curve[-1][1] > LIMIT * work.oracle else 0
