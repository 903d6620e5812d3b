"""What reports of vantages cost the daemon: 10,000 a second in batches of 100 take less than a fifth of a core."""

import http.client
import json
import time

import harness
from door import JSON, REPORT, TOKENS, bearer
from harness import check, cpu_s, equal

APPS, BATCH, A_SECOND, VANTAGES = 1000, 100, 10000, 10
CORE = 0.2
READING_S = 0.006  # a second's reports in Python, where they take the daemon 0.035 s; a machine that takes longer may take longer
ZONE = "edge.example.com"


def bodies(up):
    """Batches of ten vantages, of which each reports of each app's first target once; `up(vantage, app)`."""
    return [json.dumps({"vantage": f"v{vantage}", "reports": [
        {"app": f"a{app}.{ZONE}", "site": "near", "up": up(vantage, app)} for app in range(first, first + BATCH)]})
        for vantage in range(VANTAGES) for first in range(0, APPS, BATCH)]


def daemon_with_door():
    port, target = harness.free_port(), {"near": {"addresses": ["203.0.113.1"]}, "far": {"addresses": ["203.0.113.2"]}}
    daemon = harness.Daemon({"domains": harness.DOMAIN, "sites": {"near": {"kind": "region"}, "far": {"kind": "region"}},
                             "server": {"http": [{"listen": f"127.0.0.1@{port}", "tokens": "tokens"}]},
                             "apps": {f"a{i}.{ZONE}": {"targets": target} for i in range(APPS)}}, start=False)
    daemon.write("tokens", TOKENS).chmod(0o600)
    daemon.start()
    return daemon, port


def measure(rounds, seconds):
    """Reports `rounds`, lists of bodies, one after another for so many seconds, over one connection. Returns the daemon's processor
    time and the time that passed."""
    daemon, port = daemon_with_door()
    with daemon:
        door = http.client.HTTPConnection("127.0.0.1", port, timeout=harness.PATIENCE_S)
        batches = [body for each in rounds for body in each]
        before, began = cpu_s(daemon.process.pid), time.monotonic()
        for number in range(A_SECOND // BATCH * seconds):
            door.request("POST", "/v1/health", batches[number % len(batches)], {**JSON, **bearer(REPORT)})
            reply = json.loads(door.getresponse().read())
            equal((reply["taken"], reply["unknown"]), (BATCH, 0), reply)
            time.sleep(max(0.0, began + (number + 1) * BATCH / A_SECOND - time.monotonic()))
        return cpu_s(daemon.process.pid) - before, time.monotonic() - began


def reading_s():
    """What reading a second's reports costs this process, by which the machine, and its day, is measured."""
    batches, began = bodies(lambda *_: True), time.thread_time()
    for body in batches:
        for report in json.loads(body)["reports"]:
            check(report["up"], report)
    return time.thread_time() - began


def costs(rounds):
    if harness.sanitizer():
        raise harness.Skip("a sanitizer's build costs what it likes")
    seconds, readings = 4, [reading_s()]
    used_s, took_s = measure(rounds, seconds)
    readings.append(reading_s())
    a_second = used_s / seconds
    print(f"{A_SECOND * seconds / took_s:.0f} reports a second; {A_SECOND} take {100 * a_second:.1f} % of a core, and reading them in "
          f"Python {100 * max(readings):.1f} %")
    bound = CORE * max(1, max(readings) / READING_S)
    check(a_second < bound, f"{100 * a_second:.1f} % of a core, more than {100 * bound:.0f}")


def that_say_the_same():
    """As agents do nearly all of the time."""
    costs([bodies(lambda *_: True)])


def that_turn():
    """Each round the other half of the apps is down, for all vantages."""
    costs([bodies(lambda vantage, app, turn=turn: app % 2 == turn) for turn in range(2)])


if __name__ == "__main__":
    harness.run(that_say_the_same, that_turn, limit_s=60)
