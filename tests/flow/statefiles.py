"""The files of a state folder, for scenarios that look into them or damage them while no daemon uses them."""

import contextlib
import shutil
import sqlite3

STATE, COPY, HEALTH = "state.db", "state-copy.db", "health.db"
BOTH = (STATE, COPY)


def run(folder, name, sql, *values):
    """Runs one statement on a file of the folder; its rows. The file's log of writes is carried into it first."""
    with contextlib.closing(sqlite3.connect(folder / name)) as store:
        rows = store.execute(sql, values).fetchall()
        store.commit()
    return rows


def provided(daemon, owner):
    """The text by key of each row of this owner in what is written behind, such as "/learned". Of a copy, as the daemon holds its
    files; {} where it was copied in the middle of a change."""
    for end in ("", "-wal"):
        (daemon.folder / f"copy-{HEALTH}{end}").unlink(missing_ok=True)
        if (daemon.folder / "state" / (HEALTH + end)).exists():
            shutil.copyfile(daemon.folder / "state" / (HEALTH + end), daemon.folder / f"copy-{HEALTH}{end}")
    try:
        return dict(run(daemon.folder, f"copy-{HEALTH}", "SELECT key, text FROM provided WHERE owner = ?", owner))
    except sqlite3.DatabaseError:
        return {}


def damage_row(folder, name, site):
    """Another moment in one override's row, which its checksum does not know of."""
    run(folder, name, "UPDATE override SET since = since + 1 WHERE site = ?", site)


def set_version(folder, name, version):
    """The two header fields with the version of the daemon that wrote the file."""
    (application,), = run(folder, name, "PRAGMA application_id")
    run(folder, name, f"PRAGMA user_version = {version}")
    run(folder, name, f"PRAGMA application_id = {application & ~0xffff | version}")


def garble(folder, name, garbage):
    """The complete file, with its write-ahead log."""
    (folder / (name + "-wal")).unlink(missing_ok=True)
    (folder / name).write_bytes(garbage)
