# SPDX-License-Identifier: MIT
"""http.py WAY IP PORT: fetches /page 20 times at once and prints how many copies equal the file `page`. WAY is asyncio or
selectors, a dot, and the selector to wait with: select, poll, epoll."""
import asyncio
import selectors
import socket
import sys

MANY = 20
ASK = b"GET /page HTTP/1.0\r\n\r\n"
way, selector = sys.argv[1].split(".")
where = sys.argv[2], int(sys.argv[3])
selector = {"select": selectors.SelectSelector, "poll": selectors.PollSelector, "epoll": selectors.EpollSelector}[selector]()
page = open("page", "rb").read()


async def fetch():
    reader, writer = await asyncio.open_connection(*where)
    assert writer.get_extra_info("peername") == where
    writer.write(ASK)
    answer = await reader.read()
    writer.close()
    return answer


async def fetch_all():
    return await asyncio.gather(*[fetch() for _ in range(MANY)])


def with_asyncio():
    loop = asyncio.SelectorEventLoop(selector)
    return loop.run_until_complete(fetch_all())


def with_selectors():
    answers = {}
    for _ in range(MANY):
        one = socket.socket()
        one.setblocking(False)
        error = one.connect_ex(where)
        assert error in (0, 115), error
        answers[one] = b""
        selector.register(one, selectors.EVENT_WRITE)
    while selector.get_map():
        for key, events in selector.select():
            one = key.fileobj
            if events & selectors.EVENT_WRITE:
                assert one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
                assert one.getpeername() == where
                one.send(ASK)
                selector.modify(one, selectors.EVENT_READ)
                continue
            data = one.recv(65536)
            answers[one] += data
            if not data:
                selector.unregister(one)
                one.close()
    return answers.values()


answers = with_asyncio() if way == "asyncio" else with_selectors()
print("same:", sum(answer.partition(b"\r\n\r\n")[2] == page for answer in answers))
