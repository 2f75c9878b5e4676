# SPDX-License-Identifier: MIT
"""socks4d and names (SOCKS4A), with the hosts file of tests/integration/socks4d/host-names.sh."""
import resource
import sys

from wire import (APP, BIND, CONNECT, NET, STRANGER, Client, DeafServer, Server, call, configure, equal, eventually,
                  main, request)


def unreachable():
    "CONNECT to an unreachable network: 91 and the end"
    Client(request(CONNECT, ("192.0.2.1", 80))).refused()


def by_name(name=b"app.test"):
    "a name is resolved by the server"
    server = Server()
    client = Client(request(CONNECT, server.address, name=name) + b"early")
    there = server.accept().expect(b"early")
    equal(client.granted(), server.peer)
    there.send(b"down")
    client.expect(b"down")


def all_addresses():
    "all addresses of a name are tried, whatever their order"
    by_name(b"dead-first.test")
    by_name(b"dead-last.test")


def shares_of_time():
    "an address that never answers leaves time for the next one"
    deaf = DeafServer(f"{NET}.6")
    for name in b"deaf-first.test", b"deaf-last.test":
        server = Server(APP, deaf.address[1])
        client = Client(request(CONNECT, server.address, name=name))
        server.accept()
        client.granted()
        server.listener.close()


def none_answers():
    "a name without reachable addresses: 91"
    Client(request(CONNECT, (APP, 1), name=b"dead.test")).refused()


def any_address():
    "0.0.0.0 as the address of a name means neither this host nor anybody: 91"
    for command in CONNECT, BIND:
        Client(request(command, Server("0.0.0.0").address, name=b"any.test")).refused()


def call_by_name():
    "BIND by name expects a call from any of its addresses"
    for source in APP, STRANGER:
        client = Client(request(BIND, (APP, 21), name=b"two.test"))
        caller = call(client.granted(), source)
        equal(client.granted(), caller.socket.getsockname())
    client = Client(request(BIND, (APP, 21), name=b"two.test"))
    call(client.granted(), f"{NET}.8").expect_no_more()
    client.refused()


def only_allowed_addresses():
    "rules apply to each address of a name: a denied one is not tried, and may not call"
    first = Server(STRANGER)
    second = Server(APP, first.address[1])
    configure(f"deny to {STRANGER}")
    equal(eventually(lambda: Client(request(CONNECT, first.address)).reply()[0] == 91), True, "new rules")
    first.forget()  # a lookup from before the new rules
    client = Client(request(CONNECT, first.address, name=b"two.test"))
    second.accept()
    client.granted()
    first.saw_nobody()
    client = Client(request(BIND, (APP, 21), name=b"two.test"))
    call(client.granted(), STRANGER).expect_no_more()
    client.refused()
    configure(f"deny to {STRANGER}\ndeny to {APP}")
    equal(eventually(lambda: Client(request(CONNECT, second.address, name=b"two.test")).reply()[0] == 91), True, "new rules")
    configure("")


def silent_dns():
    "while lookups get no answer, other clients are served, by address and by name"
    waiting = [Client(request(CONNECT, (APP, 1), name=b"no%d.test" % number)) for number in range(20)]
    server = Server()
    server.connect()
    by_name()
    by_name(APP.encode())
    for client in waiting:
        client.socket.setblocking(False)
        try:
            raise SystemExit(f"it did not wait: {client.socket.recv(8)}")
        except BlockingIOError:
            client.reset()


def no_more_answer():
    "hundreds of unanswered lookups do not delay connections to addresses"
    waiting = [Client(request(CONNECT, (APP, 1), name=b"many%d.test" % number)) for number in range(300)]
    Server().connect()
    by_name(APP.encode())
    for client in waiting:
        client.reset()


def too_many_lookups():
    "if too many lookups wait, further ones are refused at once"
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    clients = [Client(request(CONNECT, (APP, 1), name=b"crowd%d.test" % number)) for number in range(1100)]
    clients[-1].refused()
    clients[900].socket.setblocking(False)
    try:
        raise SystemExit(f"it did not wait: {clients[900].socket.recv(8)}")
    except BlockingIOError:
        pass
    for client in clients:
        client.reset()


def silent_dns_limit():
    "a lookup is bounded by connect-timeout and bind-timeout: 91 and the end"
    clients = [Client(request(command, (APP, 1), name=b"never.test")) for command in (CONNECT, BIND)]
    for client in clients:
        client.refused()


main(sys.modules[__name__])
