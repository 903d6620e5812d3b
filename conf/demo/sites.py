"""The demo of steering: four small HTTP servers stand in for the load balancers of conf/demo.yaml, which fail, and which
an operator drains. Owns the servers."""

import http.server
import json
import socket
import sys
import threading

from stage import NAME, NEW_YORK, SERVER, Demo, Failed, free_port, say, title

CHECK_PORT = 5380
BALANCERS = ('127.0.0.11', '127.0.0.12', '127.0.0.13', '127.0.0.14')
CLIENTS = (
    ('97.0.130.0/24', 'Verizon phone in Boston', '155.146.1.10'),
    ('97.2.10.0/24', 'Verizon phone in New York', '155.146.65.10'),
    ('37.24.5.0/24', 'Vodafone phone in Berlin', '15.145.16.10'),
    ('97.3.1.0/24', 'Verizon phone that roams', '203.0.113.10'),
    ('198.51.100.0/24', 'client of no carrier', '203.0.113.10'),
)
ANSWERS = {'155.146.1.10': 'Boston', '155.146.65.10': 'New York', '15.145.16.10': 'Berlin',
           '203.0.113.10': 'Parent Region us-east-1'}


class Server(http.server.ThreadingHTTPServer):
    """Says nothing of clients that leave, as a probe does that has waited for too long."""

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Balancer:
    """Stands in for a load balancer: answers every path with 200 while it is up."""

    def __init__(self, address, port):
        self.address, self.port = address, port
        self.server = None
        self.start()

    def start(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header('Content-Length', '3')
                self.end_headers()
                self.wfile.write(b'ok\n')

            def log_message(self, *_):
                pass

        try:
            self.server = Server((self.address, self.port), Handler)
        except OSError as error:
            raise Failed(f'{self.address} port {self.port}: {error.strerror}') from None
        threading.Thread(target=self.server.serve_forever, kwargs={'poll_interval': 0.05}, daemon=True).start()

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


class Sites(Demo):
    """See above."""

    config, answers = 'demo.yaml', ANSWERS

    def __init__(self, build, port):
        super().__init__(build, port)
        self.balancers = {}

    def surround(self):
        check_port = free_port(CHECK_PORT, *((address, socket.SOCK_STREAM) for address in BALANCERS))
        for address in BALANCERS:
            self.balancers[address] = Balancer(address, check_port)
        return {f'port: {CHECK_PORT}': f'port: {check_port}'}

    def leave(self):
        for balancer in self.balancers.values():
            balancer.stop()

    def show(self):
        boston, new_york, region = CLIENTS[0][0], CLIENTS[1][0], '203.0.113.10'
        title('Each client gets the nearest site its network can reach')
        say(f'   asked at {SERVER} port {self.port}; the subnet is where the client is')
        for subnet, who, address in CLIENTS:
            say(f'   {who}:')
            self.expect(subnet, address)

        title('Boston\'s load balancer dies')
        self.balancers['127.0.0.11'].stop()
        took = self.wait_for(boston, '155.146.65.10', 5)
        say(f'   two failed checks (every 0.5 s) and the answer moved: {took:.1f} s later')
        self.expect(boston, '155.146.65.10')
        self.ctl('apps')
        say('   ... and comes back')
        self.balancers['127.0.0.11'].start()
        took = self.wait_for(boston, '155.146.1.10', 5)
        say(f'   two good checks: {took:.1f} s later')

        title('An operator drains New York')
        self.ctl('drain', NEW_YORK, '--for', '2h', '--reason', 'kernel patches')
        self.expect(new_york, '155.146.1.10')
        self.ctl('sites')
        self.ctl('undrain', NEW_YORK)
        self.expect(new_york, '155.146.65.10')

        title('Why does this client get that?')
        self.ctl('explain', NAME, '--client', '97.0.130.7')
        if json.loads(self.ctl('--json', 'explain', NAME, '--client', '198.51.100.9', show=False))['decision'][
                'addresses'][0] != region:
            raise Failed('explain does not agree with dig')
