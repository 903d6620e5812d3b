"""What the recent queries would have been answered by another config, or by plain weighted records: shown in share, clients and
milliseconds, with nothing taken into use; what a config may start is not started for a file that others can write."""

import json
import os

import harness
from door import READ, REPORT, Door
from guard import ADDRESSES, BLOCKS, NAME, QUERIES, asked, config, generation, moves, ranges
from harness import Daemon, check, equal, until

OTHER = "other.edge.example.com"


def both(**more):
    """A second app, of the region alone."""
    it = config(**more)
    it["apps"][OTHER] = {"targets": {"r1": {"addresses": [ADDRESSES["r1"]]}}}
    return it


def write(d, it, name="another.yaml"):
    path = d.write(name, json.dumps(it))
    path.chmod(0o600)
    return str(path)


def another_config():
    with Daemon(both(), {"ranges.csv": ranges(BLOCKS // 2), "fewer.csv": ranges(BLOCKS // 4)}) as d:
        path = write(d, both(locate=[{"plugin": "ranges", "file": "fewer.csv"}]))
        equal(d.ctl_json("compare", path)["effect"], None)
        check("no traffic" in d.ctl("compare", path, as_json=False).out)
        asked(d)
        for i in range(QUERIES // 2):
            d.query(OTHER, ecs=f"10.{i % BLOCKS}.{i // BLOCKS}.0/24")
        until(lambda: d.ctl_json("compare", path, "--app", OTHER)["effect"] is not None, harness.PATIENCE_S, "sampled")
        was = d.ctl_json("status")

        # A quarter of the first app's clients have no carrier there. A relative path is that of whoever asks.
        told = d.ctl_json("compare", os.path.relpath(path))
        effect = told["effect"]
        equal(list(moves(effect)), [("w1", "r1")])
        app = d.ctl_json("compare", path, "--app", NAME.upper())["effect"]
        check(0.24 < app["moved"] / app["queries"] < 0.26, app)
        check(app["queries"] <= effect["queries"] and app["moved"] == effect["moved"], app, effect)
        check(app["ms_before"] < app["ms_after"] and all(BLOCKS // 4 <= int(client.split(".")[1]) < BLOCKS // 2
                                                         for client in app["moves"][0]["examples"]), app)
        text = d.ctl("compare", path, "--app", NAME, as_json=False).out
        check(f"{100 * app['moved'] / app['queries']:.1f} %" in text and f"{app['ms_after']:.1f} ms then" in text, text, app)
        equal(d.ctl_json("compare", path, "--app", OTHER)["effect"]["moved"], 0)

        # Nothing is taken, whatever would be held, and reloads go on as before.
        now = d.ctl_json("status")
        for key in ("generation", "digests", "last_reload", "apps"):
            equal(now.get(key), was.get(key), key)
        equal(d.query(NAME, ecs=f"10.{BLOCKS // 4}.0.0/24").addresses, [ADDRESSES["w1"]])
        equal(d.ctl_json("reload")["effect"]["moved"], 0)
        # An app that it has not got: those who asked for it are lost.
        del (less := both())["apps"][OTHER]
        lost = d.ctl_json("compare", write(d, less))["effect"]
        equal((lost["lost"] > 0, lost["lost_apps"]), (True, [OTHER]))


def weights():
    """Plain records: half of the clients have the carrier; a third of the others' get its zone all the same."""
    with Daemon(both(), {"ranges.csv": ranges(BLOCKS // 2)}) as d:
        equal(d.ctl_json("compare", "--weights")["effect"], None)
        asked(d)
        effect = d.ctl_json("compare", "--weights", "--app", NAME)["effect"]
        check(abs(effect["beyond"] / effect["queries"] - 1 / 6) < 0.03, effect)
        check(0 < effect["beyond_clients"] < effect["clients"], effect)
        check(effect["ms_before"] < effect["ms_after"] and effect["lost"] == 0, effect)
        text = d.ctl("compare", "--weights", as_json=False).out
        check("OUT OF THEIR REACH" in text and f"{100 * effect['beyond'] / effect['queries']:.1f} %" in text, text)
        # What is drained has no record. Health is what general vantages say.
        d.ctl("drain", "w1")
        effect = d.ctl_json("compare", "--weights", "--app", NAME)["effect"]
        equal((effect.get("beyond", 0), {move["to"] for move in effect["moves"]} <= {"r1", "r2"}), (0, True))
        d.ctl("undrain", "w1")
        d.ctl("force", f"{NAME}/r1", "down")
        d.ctl("force", f"{NAME}/r2", "down")
        effect = d.ctl_json("compare", "--weights", "--app", NAME)["effect"]
        check(abs(effect["beyond"] / effect["queries"] - 1 / 2) < 0.03, effect)
        equal(generation(d), 1)


def errors():
    """Errors with file, line and column; of nothing that is no config, and of nothing that others may write, is more read."""
    with Daemon(both(), {"ranges.csv": ranges(1)}) as d:
        path = d.write("wrong.yaml", 'sites:\n  w1: {kind: moon}\n')
        path.chmod(0o600)
        refused = d.ctl("compare", str(path), as_json=False, code=2)
        check("wrong.yaml:2:14: " in refused.err and "would be refused" in refused.err, refused)
        check("wrong.yaml:2:14: " in d.ctl("compare", str(path), code=2).json["errors"][0])

        good = d.folder / "good.yaml"
        good.write_text(json.dumps(both()))
        for mode in (0o622, 0o660, 0o666):
            good.chmod(mode)
            refused = d.ctl("compare", str(good), as_json=False, code=2)
            check("others than its owner may write" in refused.err, refused)
        good.chmod(0o600)
        d.ctl("compare", str(good))
        open_folder = d.folder / "open"
        open_folder.mkdir()
        open_folder.chmod(0o777)
        (open_folder / "link.yaml").symlink_to(good)  # what counts is where it leads to
        d.ctl("compare", str(open_folder / "link.yaml"))
        moved = open_folder / "moved.yaml"
        moved.write_text(good.read_text())
        moved.chmod(0o600)
        check("others than its owner may write" in d.ctl("compare", str(moved), as_json=False, code=2).err)
        open_folder.chmod(0o1777)  # where nobody can take away what is another's
        moved.write_text(json.dumps(both(locate=[])))
        d.ctl("compare", str(moved))

        for name, secret in (("tokens", "operate alice 0123456789abcdef"), ("key.pem", "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADAN")):
            d.write(name, secret + "\n").chmod(0o600)
            refused = d.ctl("compare", str(d.folder / name), as_json=False, code=2)
            check("cannot be a text" in refused.err and secret[-10:] not in refused.err + refused.out + d.log(), refused)

        os.mkfifo(d.folder / "fifo", 0o600)
        d.write("empty.yaml", "").chmod(0o600)
        d.write("nul.yaml", b"\0" * 100).chmod(0o600)
        for name in ("fifo", "empty.yaml", "nul.yaml", "nothing", ".", "/dev/zero", "/dev/stdin", "x" * 300, "/" + "y/" * 3000):
            refused = d.ctl("compare", name if name[0] == "/" else str(d.folder / name), as_json=False, code=2)
            check(refused.err, name)
        for words in ([], ["--weights", str(good)], [str(good), str(good)], ["--weights", "--reason", "x"], [""]):
            check(d.ctl("compare", *words, as_json=False, code=2).err, words)
        check(d.ctl("compare", "--weights", "--app", "nowhere.example", as_json=False, code=1).err)
        with d.control() as control:
            for fields in ({"config": "good.yaml"}, {"config": 5}, {"config": ""}, {"weights": "yes"}, {"config": str(good), "weights": True},
                           {"weights": True, "site": "w1"}):
                check(not control("compare", ok=False, **fields)["ok"], fields)
        equal((generation(d), d.query(OTHER).addresses), (1, [ADDRESSES["r1"]]))


def over_http():
    """By who may operate, and never with a path."""
    with Door() as door:
        path = str(door.daemon.folder / "edgesteer.yaml")
        status, reply = door.post("/v1/compare", {"config": path})
        equal((status, "not over HTTP" in reply["error"]), (409, True))
        equal(door.post("/v1/compare", {"config": "/etc/passwd"})[1]["error"], reply["error"], "nothing is said of a file")
        equal(door.post("/v1/compare", {"weights": True})[0], 200)
        for verb, fields in (("compare", {"weights": True}), ("rollback", {}), ("adopt", {"app": "app.edge.example.com", "percent": "5"})):
            for token, wanted in ((None, 401), ("x" * 20, 401), (READ, 403), (REPORT, 403)):
                equal(door.post(f"/v1/{verb}", fields, token=token)[0], wanted, verb, token)
            equal(door.get(f"/v1/{verb}")[0], 403)
        equal(door.post("/v1/adopt", {"app": "app.edge.example.com", "percent": "5"})[0], 200)
        equal(door.get("/v1/drains")[1]["adoptions"][0]["to"], 5)
        equal(door.post("/v1/rollback", {})[0], 200, "nothing to do is no error, as with other verbs")


if __name__ == "__main__":
    harness.run(another_config, weights, errors, over_http)
