"""A TCP proxy on loopback that delays bytes, for benchmarks on a machine whose kernel cannot."""

import asyncio
import threading
import urllib.parse


class DelayProxy:
    """Listens on a free port and passes bytes on to `target` ("https://host:port"), each piece `seconds` later. Serves until the program ends."""

    def __init__(self, target, seconds):
        parts = urllib.parse.urlsplit(target)
        self._host, self._port = parts.hostname, parts.port
        self._seconds = seconds
        self._ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True).start()
        self._ready.wait()
        self.address = f"{parts.scheme}://{self._host}:{self.port}"

    async def _serve(self):
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await server.serve_forever()

    async def _accept(self, reader, writer):
        there_reader, there_writer = await asyncio.open_connection(self._host, self._port)
        await asyncio.gather(self._pass(reader, there_writer), self._pass(there_reader, writer),
                             return_exceptions=True)

    async def _pass(self, reader, writer):
        queue = asyncio.Queue()
        loop = asyncio.get_running_loop()

        async def send():
            while True:
                due, data = await queue.get()
                await asyncio.sleep(max(0, due - loop.time()))
                if not data:
                    writer.close()
                    return
                writer.write(data)
                await writer.drain()

        sender = asyncio.create_task(send())
        while True:
            data = await reader.read(65536)
            await queue.put((loop.time() + self._seconds, data))
            if not data:
                break
        await sender
