# tcp/lines in Python, on asyncio.
import asyncio
import sys

LONGEST = 1_000_000


async def serve(reader, writer):
    kept = b""
    try:
        while True:
            data = await reader.read(65_536)
            *lines, kept = (kept + data).split(b"\n")
            for line in lines:
                answer(writer, line)
            if len(kept) > LONGEST:
                writer.write(b"too long\n")
                writer.write_eof()
                while await reader.read(65_536):
                    pass
                break
            if not data:
                if kept:
                    answer(writer, kept)
                break
            await writer.drain()
        writer.close()
    except OSError:
        writer.close()


def answer(writer, line):
    text = line.removesuffix(b"\r").decode(errors="replace")
    writer.write(f"{len(text)}\n".encode())


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    print("Listening")
    await server.serve_forever()


asyncio.run(main())
