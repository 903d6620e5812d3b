"""The demo of targets that come from a cluster: a Kubernetes API server (the tests' double, which kubectl takes for real)
has the Ingresses of an EKS cluster, NSD the host names of their load balancers. Both change, and the answers follow. Owns
both servers."""

import contextlib
import os
import pathlib
import shlex
import signal
import sys

from stage import BOSTON, NAME, SERVER, TIED, TOP, Demo, Failed, say, title

sys.path.insert(0, os.path.join(TOP, 'tests/flow'))
from harness import Failure
from kubeapi import KubeApi
from kubeprovider import ingress, slice_of
from peers import Nsd

ZONE = 'us-east-1.elb.amazonaws.com'
TTL_S = 3  # AWS gives 60; the daemon does not ask again before 5 s
BOS, NYC, REGION = 'k8s-bos-0a1b2c', 'k8s-nyc-3d4e5f', 'k8s-region-6a7b8c'
BOS_FIRST, BOS_LATER, NYC_ADDRESS, REGION_ADDRESS = '155.146.1.10', '155.146.2.20', '155.146.65.10', '203.0.113.10'
BOS_ELSEWHERE = '155.146.65.99'  # in New York's block
PHONE, OTHER = '97.0.130.0/24', '198.51.100.0/24'
# How long steps may take on a busy machine: a change in the cluster, and one of a host name.
CLUSTER_S, LOOKUP_S = 10, 20


class HostNames:
    """NSD with the host names of load balancers, on a free port."""

    def __init__(self, folder, names):
        self.file, self.names, self.serial = folder / f'{ZONE}.zone', names, 0
        self.write()
        self.server = Nsd(folder, [ZONE], before=TIED)

    def write(self):
        self.serial += 1
        lines = [f'$TTL {TTL_S}', f'@ SOA ns hostmaster {self.serial} 7200 3600 1209600 1', '@ NS ns', 'ns A 127.0.0.1']
        lines += [f'{name} A {address}' for name, addresses in self.names.items() for address in addresses]
        self.file.write_text('\n'.join(lines) + '\n', encoding='utf-8')

    def change(self, name, *addresses):
        self.names[name] = addresses
        self.write()
        self.server.process.send_signal(signal.SIGHUP)


class Cluster(Demo):
    """See above."""

    config = 'demo-kubernetes.yaml'
    answers = {BOS_FIRST: 'Boston', BOS_LATER: 'Boston', NYC_ADDRESS: 'New York',
               REGION_ADDRESS: 'Parent Region us-east-1'}

    def __init__(self, build, port):
        super().__init__(build, port)
        self.servers = contextlib.ExitStack()
        self.api = self.names = None

    def surround(self):
        folders = {name: pathlib.Path(self.folder, name) for name in ('cluster', 'names')}
        for folder in folders.values():
            folder.mkdir()
        try:
            self.names = HostNames(folders['names'], {BOS: [BOS_FIRST], NYC: [NYC_ADDRESS], REGION: [REGION_ADDRESS]})
            self.servers.enter_context(self.names.server)
        except Failure as failure:
            raise Failed(failure) from None
        self.api = self.servers.enter_context(KubeApi(folders['cluster']))
        self.publish('nyc-shop', NYC)
        self.publish('default', REGION)
        return {f'{SERVER}@5353': f'{SERVER}@{self.names.server.port}', f'https://{SERVER}:6443': self.api.url}

    def leave(self):
        self.servers.close()

    def is_ready(self):
        """The answers of both Ingresses that are there from the start."""
        return self.ask(PHONE, quiet=True) == NYC_ADDRESS and self.ask(OTHER, quiet=True) == REGION_ADDRESS

    def publish(self, namespace, name):
        """Has an Ingress in the cluster, with a Service of one Pod behind it."""
        self.endpoint(namespace, True)
        self.api.put('ingresses', ingress(namespace, 'web', [NAME], alias=f'{name}.{ZONE}', service='web', cls='alb'))

    def endpoint(self, namespace, ready):
        self.api.put('endpointslices', slice_of(namespace, 'web', [ready]))

    def moved(self, what, address, limit_s):
        """Waits until the phone gets this address, and says what has happened and how long ago."""
        took = self.wait_for(PHONE, address, limit_s)
        say(f'   {what}: {took:.1f} s later')
        self.expect(PHONE, address)

    def show(self):
        self.show_at_first()
        self.show_appearing()
        self.show_rotating()
        self.show_unready()
        self.show_vanishing()

    def show_at_first(self):
        title('A cluster\'s load balancers are the targets: the configuration names none')
        say(f'   Ingress nyc-shop/web: host {NAME}, load balancer {NYC}.{ZONE}')
        say(f'   Ingress default/web:  host {NAME}, load balancer {REGION}.{ZONE}')
        say(f'   asked at {SERVER} port {self.port}; the subnet is where the client is:')
        say('   a Verizon phone in Boston, then anybody')
        self.expect(PHONE, NYC_ADDRESS)
        self.expect(OTHER, REGION_ADDRESS)

    def show_appearing(self):
        title('An Ingress appears in Boston')
        say(f'   Ingress bos-shop/web: host {NAME}, load balancer {BOS}.{ZONE}')
        self.publish('bos-shop', BOS)
        self.moved('the cluster told of it, its name was looked up, the answer moved', BOS_FIRST, CLUSTER_S)
        self.ctl('sources')
        self.ctl('targets', NAME)

    def show_rotating(self):
        title('The load balancer\'s name gets other addresses')
        say(f'   {BOS}: {BOS_LATER} and, by mistake, one of New York\'s')
        self.names.change(BOS, BOS_LATER, BOS_ELSEWHERE)
        self.moved(f'looked up again (TTL {TTL_S} s, but not within 5 s), and the answer changed', BOS_LATER, LOOKUP_S)
        say('   an address that is not in the zone\'s own block would be a black hole, and is refused:')
        if BOS_ELSEWHERE not in self.ctl('targets', NAME):
            raise Failed(f'targets does not show that {BOS_ELSEWHERE} is refused')

    def show_unready(self):
        title('Boston\'s only Pod becomes unready')
        self.endpoint('bos-shop', False)
        self.moved('the cluster told of it, and the answer moved', NYC_ADDRESS, CLUSTER_S)
        self.ctl('apps')
        say('   ... and ready again')
        self.endpoint('bos-shop', True)
        self.moved('the answer is back', BOS_LATER, CLUSTER_S)
        self.ctl('explain', NAME, '--client', '97.0.130.7')

    def show_vanishing(self):
        title('Boston\'s Ingress vanishes')
        self.api.delete('ingresses', 'bos-shop', 'web')
        self.moved('the grace time (2 s here, else 60 s) is over, and the answer moved', NYC_ADDRESS, CLUSTER_S)
        self.ctl('targets', NAME)
        if BOSTON in self.ctl('--json', 'targets', NAME, show=False):
            raise Failed('the target of the Ingress that is gone is still there')

    def to_try(self):
        kubectl = shlex.join(['kubectl', '--kubeconfig', str(self.api.kubeconfig())])
        ctl = shlex.join(self.edgesteerctl)
        return [f'dig @{SERVER} -p {self.port} {NAME} +subnet=97.0.130.0/24', f'{ctl} targets', f'{ctl} sources',
                f'{kubectl} get ingresses -A', f'{kubectl} delete ingress web -n nyc-shop']
