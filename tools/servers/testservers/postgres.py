"""A real PostgreSQL server on loopback, as a non-root user, in a data folder of its own."""

import os
import pathlib
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile

from . import processes
from .processes import ServerError


class Postgres:
    """One running server: host and port, database, superuser's name and password; pid, data, log.
    """

    FIELDS = ("host", "port", "database", "user", "password", "pid", "data", "log")

    def __init__(self, **fields):
        for name in self.FIELDS:
            setattr(self, name, fields[name])

    def to_json(self):
        """A dictionary from which Postgres(**dictionary) makes the same object in another process.
        """
        return {name: getattr(self, name) for name in self.FIELDS}

    def psql(self, sql, user=None, password=None):
        """Runs SQL as the superuser (or USER with PASSWORD); what it printed, unaligned, without
        headers.
        """
        done = subprocess.run(
            [
                processes.find_program("psql", folders=_folders()),
                "-XAtq",
                "-v",
                "ON_ERROR_STOP=1",
                "-h",
                self.host,
                "-p",
                str(self.port),
                "-U",
                user or self.user,
                "-d",
                self.database,
                "-f",
                "-",
            ],
            input=sql,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PGPASSWORD": password or self.password},
        )
        if done.returncode != 0:
            raise ServerError(f"psql failed: {done.stderr.strip()}")
        return done.stdout

    def stop(self):
        """Ends the server at once, whoever is connected, and removes its data."""
        processes.stop(self.pid, first=signal.SIGINT)
        self.remove_data()

    def remove_data(self):
        """Removes the data folder, which lies outside the state folder; for a server that has
        ended.
        """
        shutil.rmtree(self.data, ignore_errors=True)


def _folders():
    """Where Debian keeps the server's own programs, the newest version first."""
    versions = pathlib.Path("/usr/lib/postgresql").glob("*/bin")
    return sorted(versions, key=lambda path: int(path.parent.name), reverse=True)


def start_postgres(folder, database="app"):
    """Starts a PostgreSQL server in FOLDER/postgres, with an empty DATABASE, and waits until it
    answers.
    """
    folder = pathlib.Path(folder).resolve() / "postgres"
    folder.mkdir(parents=True, mode=0o700)
    # The server refuses to run as root, and another user could not enter our private folder.
    user = None
    data = pathlib.Path(tempfile.mkdtemp(prefix="vaultcore-postgres-"))
    password, port, log = secrets.token_hex(16), processes.free_ports(1)[0], folder / "server.log"
    password_file = data / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(f"{password}\n")
    as_user = []
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        user = (nobody.pw_uid, nobody.pw_gid)
        as_user = ["setpriv", f"--reuid={user[0]}", f"--regid={user[1]}", "--clear-groups", "--"]
        os.chown(data, *user)
        os.chown(password_file, *user)
    initdb = pathlib.Path(processes.find_program("initdb", folders=_folders())).resolve()
    made = subprocess.run(
        [
            *as_user,
            initdb,
            "-D",
            data / "db",
            "-U",
            "postgres",
            "-A",
            "scram-sha-256",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
            f"--pwfile={password_file}",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    password_file.unlink()
    if made.returncode != 0:
        raise ServerError(f"initdb failed: {made.stderr.strip()}")
    pid = processes.start(
        [
            initdb.parent / "postgres",
            "-D",
            data / "db",
            "-h",
            "127.0.0.1",
            "-p",
            port,
            "-k",
            "",
            "-F",
        ],
        log,
        user=user,
        cwd="/",
    )
    postgres = Postgres(
        host="127.0.0.1",
        port=port,
        database="postgres",
        user="postgres",
        password=password,
        pid=pid,
        data=str(data),
        log=str(log),
    )

    def ready():
        try:
            return postgres.psql("SELECT 1") == "1\n"
        except ServerError:
            return False

    try:
        processes.wait_until("PostgreSQL", ready, pid, log)
        postgres.psql(f'CREATE DATABASE "{database}"')
    except ServerError:
        postgres.stop()
        raise
    postgres.database = database
    return postgres
