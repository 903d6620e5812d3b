"""What the demos of conf/demo/run have in common: the daemon in a folder of its own on a free port, real queries (dig)
and orders (edgesteerctl), shown as they are made, and what is left of it all at the end: nothing."""

import errno
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NAME, SERVER = 'app.edge.example.com', '127.0.0.1'
BOSTON, NEW_YORK = 'us-east-1-wl1-bos-wlz-1', 'us-east-1-wl1-nyc-wlz-1'
# As in the configurations; of each, so many are tried.
PORT, PORTS_TRIED = 5300, 80
BOLD, PLAIN = ('\033[1m', '\033[0m') if sys.stdout.isatty() else ('', '')
# What is started ends with this process, even if that is killed.
TIED = ('setpriv', '--pdeathsig', 'TERM')


class Failed(Exception):
    """The demo did not show what it should have."""


def is_free(port, *places):
    """Whether a socket of each kind can be bound at this port of its address."""
    for address, kind in places:
        with socket.socket(socket.AF_INET, kind) as sock:
            # Connections that are over are not in the way, listeners are.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind == socket.SOCK_STREAM)
            try:
                sock.bind((address, port))
            except OSError as error:
                if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                    raise
                return False
    return True


def free_port(first, *places):
    for port in range(first, first + PORTS_TRIED):
        if is_free(port, *places):
            return port
    raise Failed(f'no port from {first} to {first + PORTS_TRIED - 1} is free at ' +
                 ', '.join(sorted({address for address, _ in places})))


def say(text):
    print(text, flush=True)


def title(text):
    say(f'\n{BOLD}== {text}{PLAIN}')


class Demo:
    """One of them. `config` is the file in conf/ that it runs with, `answers` what to call the addresses that are
    answered."""

    config, answers = None, {}

    def __init__(self, build, port):
        self.port = port
        self.build = os.path.join(TOP, build)
        self.folder = tempfile.mkdtemp(prefix='edgesteer-demo-')
        control = os.path.join(self.folder, 'run/control.sock')
        self.edgesteerctl = [os.path.join(self.build, 'edgesteerctl'), '-s', control]
        self.daemon = None
        self.log = None

    def surround(self):
        """Starts what the daemon is to find. Returns what in the config's text is to be replaced, and by what."""
        raise NotImplementedError

    def leave(self):
        """Ends that."""
        raise NotImplementedError

    def choose_port(self):
        places = ((SERVER, socket.SOCK_DGRAM), (SERVER, socket.SOCK_STREAM))
        if self.port is None:
            self.port = free_port(PORT, *places)
        elif not is_free(self.port, *places):
            raise Failed(f'--port {self.port}: in use, or not permitted, at {SERVER}')

    def write_config(self, changes):
        with open(os.path.join(TOP, 'conf', self.config), encoding='utf-8') as file:
            config = file.read()
        for written, chosen in changes.items():
            if config.count(written) != 1:
                raise Failed(f'conf/{self.config}: {written} is not there once')
            config = config.replace(written, chosen)
        with open(os.path.join(self.folder, self.config), 'w', encoding='utf-8') as file:
            file.write(config)

    def start(self):
        shutil.copytree(os.path.join(TOP, 'conf/demo'), os.path.join(self.folder, 'demo'))
        self.choose_port()
        self.write_config({f'{SERVER}@{PORT}': f'{SERVER}@{self.port}', **self.surround()})
        self.log = open(os.path.join(self.folder, 'log'), 'w+', encoding='utf-8')
        self.daemon = subprocess.Popen([*TIED, os.path.join(self.build, 'edgesteerd'), '-c', self.config],
                                       cwd=self.folder, stderr=self.log)
        deadline = time.monotonic() + 10
        while not self.is_ready():
            if self.daemon.poll() is not None or time.monotonic() > deadline:
                self.log.seek(0)
                said = self.log.read()
                raise Failed(f'the daemon does not answer:\n{said}')
            time.sleep(0.05)

    def is_ready(self):
        """Whether the daemon answers."""
        return self.ask('198.51.100.0/24', quiet=True) is not None

    def stop(self):
        if self.daemon and self.daemon.poll() is None:
            self.daemon.send_signal(signal.SIGTERM)
            try:
                self.daemon.wait(10)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
        self.leave()
        if self.log:
            self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, subnet, quiet=False):
        """The address the client of a subnet gets, and the scope; None without an answer."""
        command = ['dig', f'@{SERVER}', '-p', str(self.port), NAME, 'A', f'+subnet={subnet}', '+tries=1', '+time=1']
        out = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        address = re.search(r'^\S+\s+\d+\s+IN\s+A\s+(\S+)', out, re.M)
        scope = re.search(r'CLIENT-SUBNET: \S+/\d+/(\d+)', out)
        if not address:
            return None
        if not quiet:
            say(f'   dig {NAME} +subnet={subnet:<16} -> {address[1]:<14} {self.answers.get(address[1], "?")} '
                f'(scope /{scope[1] if scope else "-"})')
        return address[1]

    def expect(self, subnet, address):
        got = self.ask(subnet)
        if got != address:
            raise Failed(f'{subnet} got {got}, not {address}')

    def ctl(self, *words, show=True):
        done = subprocess.run([*self.edgesteerctl, *words], capture_output=True, text=True, check=False)
        if show:
            say(f'   $ edgesteerctl {shlex.join(words)}')
            say(''.join(f'     {line}\n' for line in (done.stdout + done.stderr).splitlines()).rstrip('\n'))
        if done.returncode != 0:
            raise Failed(f'edgesteerctl {words[0]}: {done.stderr}')
        return done.stdout

    def wait_for(self, subnet, address, limit_s):
        began = time.monotonic()
        while self.ask(subnet, quiet=True) != address:
            if time.monotonic() - began > limit_s:
                raise Failed(f'{subnet} did not move to {address} within {limit_s} s')
        return time.monotonic() - began

    def show(self):
        """Shows everything; raises Failed where it is not as it should be."""
        raise NotImplementedError

    def to_try(self):
        """Lines that tell what to try by hand."""
        ctl = shlex.join(self.edgesteerctl)
        return [f'dig @{SERVER} -p {self.port} {NAME} +subnet=97.0.130.0/24', f'{ctl} status',
                f'{ctl} drain {BOSTON} --for 10m', f'edit {self.folder}/{self.config}, then {ctl} reload']

    def stay(self):
        title('The demo keeps running; in another terminal:')
        for line in self.to_try():
            say(f'   {line}')
        say('   Ctrl-C stops it and leaves nothing behind.')
        while self.daemon.poll() is None:
            time.sleep(0.2)
